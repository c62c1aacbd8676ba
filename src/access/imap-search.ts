/**
 * SEARCH (RFC 9051 §6.4.4): which messages match. A mailbox is searched in slices on a reader's thread; only
 * messages whose bodies are not in the database are looked at here.
 */

import type { Answer, Question } from '../imap/server/question.ts'
import { folderMessages } from '../mailbox/change.ts'
import type { ImapAccess } from './imap.ts'
import { MessageContent } from './imap-content.ts'
import { Candidate } from './search-match.ts'
import { type SearchSlice, searchSlice } from './search-reader.ts'

type Access = Pick<ImapAccess, 'store' | 'world'>

/** Whether the session that asked is gone: nobody hears the answer, so that no more is read for it. */
export type Gone = () => boolean

/** So much is searched for a session that is gone meanwhile. */
const SLICE = 200

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
  for (let at = 0; at < uids.length && !gone(); at += SLICE) {
    const slice = { ...common, uids: uids.slice(at, at + SLICE), before: at }
    const told = await access.store.read(searchSlice, slice)
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
  for (const row of await access.store.read(folderMessages, { mailboxId, uids })) {
    const open = () => MessageContent.of(access, mailboxId, row.uid)
    const candidate = new Candidate(context, row, numbers.get(row.uid) ?? 0, open)
    if (await candidate.matches(key)) found.push([row.uid, row.modSeq])
  }
  return found
}
