/**
 * SEARCH (RFC 9051 §6.4.4): which messages match. A mailbox is searched in slices on a reader's thread; only
 * messages whose bodies are not in the database are looked at here.
 */

import type { Answer, Question } from '../imap/server/question.ts'
import { type FolderMessage, folderMessages } from '../mailbox/change.ts'
import { type Reading, type ReadMessage, readMessages } from '../mailbox/reading.ts'
import { breathOf } from '../world/breath.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { foundHeading, keepFound, SCANNER } from './imap-reading.ts'
import { asksHeading, Candidate } from './search-match.ts'
import { type SearchSlice, searchSlice, sliceBehind } from './search-reader.ts'

type Access = Pick<ImapAccess, 'store' | 'world' | 'log'>

/** Whether the session that asked is gone: nobody hears the answer, so that no more is read for it. */
export type Gone = () => boolean

export async function searchMessages(
  access: Access,
  { key, search }: Pick<Extract<Question, { kind: 'search' }>, 'key' | 'search'>,
  gone: Gone,
): Promise<Answer> {
  const uids = Array.from(search.uids)
  const common = {
    mailboxId: key,
    key: search.key,
    nowMs: access.world.clock.now(),
    saved: Array.from(search.saved),
    largestUid: uids.at(-1) ?? 0,
    exists: uids.length,
  }
  const found: number[] = []
  const modSeqs: number[] = []
  const breath = breathOf(access.world.clock)
  let size = sliceBehind('rows')
  for (let at = 0; at < uids.length && !gone(); ) {
    await breath.due()
    const slice = { ...common, uids: uids.slice(at, at + size), before: at }
    const told = await access.store.read(searchSlice, slice)
    keepFound(access, told.read)
    at += told.reached
    size = sliceBehind('rows', told.opened)
    const more = await elsewhere(access, slice, told.elsewhere, gone)
    const all = [...told.uids.map((uid, n) => [uid, told.modSeqs[n] ?? 0] as const), ...more]
    if (more.length > 0) all.sort(([a], [b]) => a - b)
    for (const [uid, modSeq] of all) {
      found.push(uid)
      modSeqs.push(modSeq)
    }
  }
  return { kind: 'found', uids: found, modSeqs }
}

/** Of messages whose bodies are not in the database, those that match: UID and MODSEQ. */
async function elsewhere(
  access: Access,
  slice: SearchSlice,
  uids: readonly number[],
  gone: Gone,
): Promise<(readonly [number, number])[]> {
  if (uids.length === 0) return []
  const { mailboxId, key, before } = slice
  const numbers = new Map(slice.uids.map((uid, n) => [uid, before + n + 1]))
  const context = { ...slice, gone, saved: new Set(slice.saved), sets: new Map() }
  const found: (readonly [number, number])[] = []
  const read: Reading[] = []
  const rows: readonly (FolderMessage | ReadMessage)[] = asksHeading(key)
    ? await access.store.read(readMessages, { mailboxId, uids, scanner: SCANNER })
    : await access.store.read(folderMessages, { mailboxId, uids })
  for (const row of rows) {
    const open = () => MessageContent.of(access, mailboxId, row.uid)
    const candidate = new Candidate(context, { row, number: numbers.get(row.uid) ?? 0, open })
    if (await candidate.matches(key)) found.push([row.uid, row.modSeq])
    if (candidate.header && 'head' in row) read.push(...foundHeading(row, candidate.header))
  }
  keepFound(access, read)
  return found
}
