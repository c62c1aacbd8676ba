/** STORE (RFC 9051 §6.4.6): sets, adds or removes flags, and tells them unless asked to be silent. */
import type { Cursor } from '../../cursor.ts'
import { readStoreFlags } from '../../flag.ts'
import { readNumberSet } from '../../number-set.ts'
import type { StoreMode } from '../question.ts'
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

export const store = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidStore = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/** So many messages change in one transaction: others wait no longer than for that. */
const SLICE = 500

/** `store = "STORE" SP sequence-set SP store-att-flags`. */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.space()
  const mode: StoreMode = cursor.take('+') ? 'add' : cursor.take('-') ? 'remove' : 'set'
  cursor.expect('FLAGS')
  const silent = cursor.take('.SILENT')
  cursor.space()
  const flags = readStoreFlags(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  const uids = byUid ? view.byUid(set, turn.saved) : view.bySequence(set, turn.saved)
  if (uids === undefined) return bad('a number is out of range')
  if (view.readOnly) return no('the mailbox is open read-only', 'CANNOT')
  for (let at = 0; at < uids.length; at += SLICE) {
    const slice = uids.slice(at, at + SLICE)
    const answer = yield* ask<'store'>({ kind: 'store', key: view.key, uids: slice, mode, flags })
    if (answer.kind === 'no') return refused(answer)
    view.own(answer.stored)
    if (!silent) turn.send(answer.stored.map(state => told(turn, state, byUid)).join(''))
    if (turn.full) yield* output()
  }
  return ok('STORE completed')
}

function told(
  turn: Turn,
  state: Parameters<ReturnType<typeof viewOf>['fetchFlags']>[0],
  byUid: boolean,
) {
  const { condstore, qresync } = turn.enabled
  return viewOf(turn).fetchFlags(state, { modSeq: condstore || qresync, qresync }, byUid || qresync)
}
