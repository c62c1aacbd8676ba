/** A search in a mailbox that need not be open (RFC 7377): opened for it alone, by who may read it. */
import type { Answer, Question } from '../imap/server/question.ts'
import { openFolder } from '../mailbox/change.ts'
import type { ImapAccess } from './imap.ts'
import { noSuchMailbox } from './imap-no.ts'
import { lacking, placeOf } from './imap-place.ts'
import { type Gone, searchMessages } from './imap-search.ts'
import { rollsOf } from './rolls.ts'

export async function searchIn(
  access: Pick<ImapAccess, 'store' | 'world' | 'log'>,
  { account, mailbox, wanted: key }: Extract<Question, { kind: 'search in' }>,
  gone: Gone,
): Promise<Answer> {
  const place = await placeOf(access, account, mailbox)
  const denied = lacking(place, 'r')
  if (place === undefined || denied) return denied ?? noSuchMailbox
  const folder = { accountId: place.ownerId, name: place.name }
  const opened = await access.store.read(openFolder, folder)
  const roll = opened && (await rollsOf(access).now(opened.mailboxId, opened.messages))
  if (opened === undefined || roll === undefined) return noSuchMailbox
  const search = { key, uids: roll.uids.slice(), saved: [] }
  const found = await searchMessages(access, { key: opened.mailboxId, search }, gone)
  if (found.kind !== 'found') return found
  const { uids, modSeqs } = found
  return { kind: 'found in', uidValidity: opened.uidValidity, uids, modSeqs }
}
