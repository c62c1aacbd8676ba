/**
 * STORE (RFC 9051 §6.4.6): sets, adds or removes flags, and tells them unless asked to be silent. UNCHANGEDSINCE
 * leaves alone what somebody else changed meanwhile (RFC 7162 §3.1.3).
 */
import type { Cursor } from '../../cursor.ts'
import { readStoreFlags } from '../../flag.ts'
import { formatNumbers, type NumberSet, readNumberSet } from '../../number-set.ts'
import { limited, newest } from '../message-limit.ts'
import { tellNews } from '../news.ts'
import type { FlagState, StoreMode } from '../question.ts'
import {
  ask,
  bad,
  fetchManner,
  no,
  ok,
  output,
  type Result,
  type Running,
  refused,
  type Turn,
  viewOf,
} from '../turn.ts'

export const store = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidStore = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/** So many messages change in one transaction: others wait no longer than for that. */
const SLICE = 500

interface Wish {
  readonly set: NumberSet
  readonly mode: StoreMode
  readonly flags: readonly string[]
  readonly silent: boolean
  readonly unchangedSince?: number
}

function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  const wish = readStore(cursor)
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const { set, mode, flags, unchangedSince } = wish
  const view = viewOf(turn)
  const named = byUid ? view.byUid(set, turn.saved) : view.bySequence(set, turn.saved)
  if (named === undefined) return bad('a number is out of range')
  if (view.readOnly) return no('the mailbox is open read-only', 'CANNOT')
  const condition = unchangedSince === undefined ? {} : { unchangedSince }
  if (unchangedSince !== undefined) turn.condstore()
  const limit = newest(turn, named)
  const { uids } = limit
  const modified: number[] = []
  let found = 0
  for (let at = 0; at < uids.length; at += SLICE) {
    const slice = { uids: uids.slice(at, at + SLICE), mode, flags, ...condition }
    const answer = yield* ask<'store'>({ kind: 'store', key: view.key, ...slice })
    if (answer.kind === 'no') {
      // RFC 9051 §7.1: who has come to the limit of keywords is told so.
      const full = answer.code === 'LIMIT'
      if (full) turn.send(`* OK [PERMANENTFLAGS (${view.permanentFlags(false)})] and no more\r\n`)
      return refused(answer)
    }
    modified.push(...answer.modified)
    found += answer.stored.length + answer.modified.length
    view.own(answer.stored)
    turn.send(view.flagsLine(answer.stored))
    turn.send(answer.stored.map(state => told(turn, state, byUid, wish.silent)).join(''))
    if (turn.full) yield* output()
  }
  if (modified.length === 0) {
    if (found === uids.length) return limited(turn, ok('STORE completed'), limit)
    // RFC 2180 §4.2.1: of what was named by number nothing is there.
    return found === 0 && !byUid
      ? no('these messages are gone', 'EXPUNGEISSUED')
      : limited(turn, ok('STORE completed; some messages are gone', 'EXPUNGEISSUED'), limit)
  }
  // RFC 7162 §3.1.3: what somebody else made of them is told at once, so that the client need not ask.
  yield* tellNews(turn, byUid)
  const left = byUid ? modified : modified.map(uid => view.sequence(uid))
  const result = ok('conditional STORE left some alone', `MODIFIED ${formatNumbers(left)}`)
  return limited(turn, result, limit)
}

/**
 *     store = "STORE" SP sequence-set [SP "(" store-modifier *(SP store-modifier) ")"] SP store-att-flags
 *     store-modifier = "UNCHANGEDSINCE" SP mod-sequence-valzer
 */
function readStore(cursor: Cursor): Wish {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.space()
  let unchangedSince: number | undefined
  if (cursor.next === 0x28) {
    cursor.expect('(UNCHANGEDSINCE ')
    unchangedSince = cursor.number64()
    cursor.expect(') ')
  }
  const mode: StoreMode = cursor.take('+') ? 'add' : cursor.take('-') ? 'remove' : 'set'
  cursor.expect('FLAGS')
  const silent = cursor.take('.SILENT')
  cursor.space()
  const flags = readStoreFlags(cursor)
  cursor.end()
  return { set, mode, flags, silent, ...(unchangedSince === undefined ? {} : { unchangedSince }) }
}

/** Silence leaves the flags out; where CONDSTORE is on the new mod-sequence is told all the same (RFC 7162 §3.1.3). */
function told(turn: Turn, state: FlagState, byUid: boolean, silent: boolean): string {
  const manner = fetchManner(turn)
  if (!silent) {
    return viewOf(turn).fetchFlags(state, { ...manner, uid: byUid || manner.uid })
  }
  const sequence = viewOf(turn).sequence(state.uid)
  if (!manner.modSeq || sequence === 0) return ''
  if (manner.uidOnly) return `* ${state.uid} UIDFETCH (MODSEQ (${state.modSeq}))\r\n`
  return `* ${sequence} FETCH (UID ${state.uid} MODSEQ (${state.modSeq}))\r\n`
}
