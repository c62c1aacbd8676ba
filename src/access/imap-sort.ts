/** SORT and THREAD (RFC 5256): the messages a search finds, ordered by what their headers say. */
import type { Answer, Question, SearchQuestion } from '../imap/server/question.ts'
import { sortedUids, sortFactsOf } from '../imap/sort.ts'
import { type FolderMessage, folderMessages } from '../mailbox/change.ts'
import { type Header, scanHeader } from '../message/header.ts'
import { threadFactsOf, threadsOf } from '../message/thread.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { type Gone, searchMessages } from './imap-search.ts'

type Access = Pick<ImapAccess, 'store' | 'world'>

const SLICE = 500
/** What stands for the header of a message where the order asks for nothing of it. */
const none = scanHeader(new Uint8Array(0))

export async function sortMessages(
  access: Access,
  { key, search, criteria }: Extract<Question, { kind: 'sort' }>,
  gone: Gone,
): Promise<Answer> {
  const byRow = criteria.every(each => each.key === 'ARRIVAL' || each.key === 'SIZE')
  const modSeqs = new Map<number, number>()
  const facts = await gathered(access, { key, search, gone }, !byRow, (row, header) => {
    modSeqs.set(row.uid, row.modSeq)
    return sortFactsOf(row, header)
  })
  if (!Array.isArray(facts)) return facts
  const uids = sortedUids(facts, criteria)
  return { kind: 'sorted', uids, modSeqs: uids.map(uid => modSeqs.get(uid) ?? 0) }
}

export async function threadMessages(
  access: Access,
  { key, search, algorithm }: Extract<Question, { kind: 'thread' }>,
  gone: Gone,
): Promise<Answer> {
  const facts = await gathered(
    access,
    { key, search, gone },
    true,
    ({ uid, internalDate }, header) => threadFactsOf(uid, header, internalDate),
  )
  if (!Array.isArray(facts)) return facts
  return { kind: 'threaded', threads: threadsOf(facts, algorithm) }
}

/** Of every message found what is made of its row and header, in the order of UIDs; or why not. */
async function gathered<Facts>(
  access: Access,
  {
    key,
    search,
    gone,
  }: { readonly key: number; readonly search: SearchQuestion; readonly gone: Gone },
  headers: boolean,
  made: (row: FolderMessage, header: Header) => Facts,
): Promise<Facts[] | Answer> {
  const answer = await searchMessages(access, { key, search }, gone)
  if (answer.kind !== 'found') return answer
  const facts: Facts[] = []
  for (let at = 0; at < answer.uids.length && !gone(); at += SLICE) {
    const slice = { mailboxId: key, uids: answer.uids.slice(at, at + SLICE) }
    for (const row of await access.store.read(folderMessages, slice)) {
      if (gone()) break
      const content = headers ? await MessageContent.of(access, key, row.uid) : undefined
      if (headers && content === undefined) continue
      facts.push(made(row, content === undefined ? none : await content.header()))
    }
  }
  return facts
}
