/** Notes at mailboxes and at the server (RFC 5464), as the rows have them. */
import type { Answer, No, Question } from '../imap/server/question.ts'
import { annotate, annotationsOf } from '../mailbox/annotation.ts'
import { folderStatus } from '../mailbox/folder.ts'
import type { ImapAccess } from './imap.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'

type MetadataQuestion = Extract<Question, { kind: 'metadata' | 'annotate' }>

export async function answerMetadata(
  access: Pick<ImapAccess, 'store'>,
  question: MetadataQuestion,
): Promise<Answer> {
  const { store } = access
  const { account, mailbox } = question
  const mailboxId = await mailboxOf(access, question)
  if (typeof mailboxId !== 'number') return mailboxId
  const place = { mailboxId, accountId: account.id }
  if (question.kind === 'metadata') {
    const rows = await store.read(annotationsOf, place)
    const annotations = rows.map(({ entry, value }) => ({
      entry,
      value: Buffer.from(value).toString('latin1'),
    }))
    return { kind: 'metadata', annotations }
  }
  // What all users of the server see is the operator's.
  if (mailbox === '' && question.annotations.some(({ entry }) => entry.startsWith('/shared/'))) {
    return { kind: 'no', code: 'NOPERM', why: "notes of the server are its operator's" }
  }
  const notes = question.annotations.map(({ entry, value }) => ({
    entry,
    value: value === undefined ? null : Buffer.from(value, 'latin1'),
  }))
  const done = await store.write(annotate, { ...place, notes })
  if (done === 'done') return { kind: 'done' }
  return { kind: 'no', code: 'METADATA TOOMANY', why: 'there are too many notes at this mailbox' }
}

/** The key of the mailbox, 0 for the server; `w` notes for all, who may read may note for himself (RFC 5464 §3.3). */
async function mailboxOf(
  access: Pick<ImapAccess, 'store'>,
  question: MetadataQuestion,
): Promise<number | No> {
  if (question.mailbox === '') return 0
  const place = await placeOf(access, question.account, question.mailbox)
  const shared =
    question.kind === 'annotate' &&
    question.annotations.some(({ entry }) => entry.startsWith('/shared/'))
  const denied = lacking(place, 'r', ...(shared ? ['w'] : []))
  if (place === undefined || denied) return denied ?? noSuchMailbox
  const folder = { accountId: place.ownerId, name: place.name }
  return (await access.store.read(folderStatus, folder))?.mailboxId ?? noSuchMailbox
}
