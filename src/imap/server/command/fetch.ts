/**
 * FETCH (RFC 9051 §6.4.5): what the client asks of some messages, a slice of them at a time, so that
 * memory is bounded however many there are and however large. Literals stream: their sizes are known first.
 */

import type { Cursor } from '../../cursor.ts'
import { type FetchItem, readFetchItems } from '../../fetch-item.ts'
import { formatNumbers, readNumberSet } from '../../number-set.ts'
import { limited, newest, tooMany } from '../message-limit.ts'
import { tellNews } from '../news.ts'
import { sliceOf, wishOf, writeAll } from '../told-message.ts'
import {
  ask,
  bad,
  no,
  ok,
  output,
  type Result,
  type Running,
  refused,
  type Turn,
  viewOf,
} from '../turn.ts'
import { narrowed, readFetchModifiers } from './fetch-modifier.ts'

export const fetch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidFetch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/**
 *     fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" ... ")") [fetch-modifiers]
 *
 * An item is told for every message that is there, in the order it was asked for.
 */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.space()
  const read = readFetchItems(cursor)
  const modifiers = readFetchModifiers(turn, cursor, byUid)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  const named = byUid ? view.byUid(set, turn.saved) : view.bySequence(set, turn.saved)
  if (named === undefined) return bad('a number is out of range')
  if (read.some(({ kind }) => kind === 'MODSEQ')) turn.condstore()
  const all = yield* narrowed(turn, set, named, modifiers)
  if ('kind' in all) return all
  // RFC 9738: a slice that the client has chosen is not cut again.
  const refusal = modifiers.partial && tooMany(turn, all.length, false)
  if (refusal !== undefined) return refusal
  const limit = newest(turn, all)
  const { uids } = limit
  const { uidOnly, qresync } = turn.enabled
  const uid = (byUid || qresync) && !uidOnly
  const items = dressed(read, uid, modifiers.changedSince !== undefined)
  const wish = wishOf(items, turn.enabled.utf8)
  const markSeen = !view.readOnly && items.some(marksSeen)
  const size = sliceOf(items, wish)
  let unknownEncoding = false
  const downgraded: number[] = []
  let gone = 0
  for (let at = 0; at < uids.length; at += size) {
    const slice = uids.slice(at, at + size)
    const answer = yield* ask<'fetch'>({
      kind: 'fetch',
      key: view.key,
      uids: slice,
      wish,
      markSeen,
    })
    if (answer.kind === 'no') return refused(answer)
    if (answer.kind === 'fetched') {
      view.own(answer.messages.filter(message => message.flagsChanged))
    }
    const written = yield* writeAll(turn, answer, items)
    gone += slice.length - written.messages
    unknownEncoding ||= written.unknownEncoding
    if (downgraded.length < DOWNGRADED_MAX) downgraded.push(...written.downgraded)
    if (turn.full) yield* output()
  }
  // Something happened that nobody has told us: the client should not have to ask for it.
  if (gone > 0) yield* tellNews(turn, byUid)
  if (unknownEncoding) return no('a part is encoded in a way nobody knows', 'UNKNOWN-CTE')
  if (gone === 0) return limited(turn, ok('FETCH completed', downgradedCode(downgraded)), limit)
  // RFC 2180 §4.1.3: of what was named by number nothing is there.
  return gone === uids.length && !byUid
    ? no('these messages are gone', 'EXPUNGEISSUED')
    : limited(turn, ok('FETCH completed; some messages are gone', 'EXPUNGEISSUED'), limit)
}

/** RFC 6858 §3: not all of them need be named, and no client is to stumble over the length of a line. */
const DOWNGRADED_MAX = 100

function downgradedCode(uids: readonly number[]): string | undefined {
  const told = uids.slice(0, DOWNGRADED_MAX)
  return told.length > 0 ? `DOWNGRADED ${formatNumbers(told)}` : undefined
}

/** UID and MODSEQ stand in the answer where the dialect has it so, asked for or not (RFC 7162 §3.1.4.1, §3.2.4). */
function dressed(items: readonly FetchItem[], uid: boolean, modSeq: boolean): readonly FetchItem[] {
  const has = (kind: FetchItem['kind']) => items.some(item => item.kind === kind)
  return [
    ...(uid && !has('UID') ? [{ kind: 'UID' } as const] : []),
    ...items,
    ...(modSeq && !has('MODSEQ') ? [{ kind: 'MODSEQ' } as const] : []),
  ]
}

function marksSeen(item: FetchItem): boolean {
  return (item.kind === 'SECTION' || item.kind === 'BINARY') && !item.peek
}
