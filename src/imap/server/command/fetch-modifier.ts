/**
 * What narrows a FETCH to some of the messages it names: CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4.1, §3.2.6) and
 * PARTIAL (RFC 9394 §3.4).
 */
import type { Cursor } from '../../cursor.ts'
import { formatMissing, formatNumbers, type NumberSet, rangesHold } from '../../number-set.ts'
import { type PartialRange, partOf, readPartialRange } from '../../partial-range.ts'
import { ask, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'

export interface FetchModifiers {
  readonly changedSince?: number
  /** UIDs that are gone since then are told too. */
  readonly vanished: boolean
  readonly partial?: PartialRange
}

/** `fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"`. */
export function readFetchModifiers(turn: Turn, cursor: Cursor, byUid: boolean): FetchModifiers {
  let changedSince: number | undefined
  let partial: PartialRange | undefined
  let vanished = false
  if (cursor.take(' ')) {
    const read = cursor.list(() => {
      const name = cursor.word()
      if (name === 'CHANGEDSINCE') {
        cursor.space()
        changedSince = cursor.number64()
      } else if (name === 'VANISHED') vanished = true
      else if (name === 'PARTIAL' && byUid) {
        cursor.space()
        partial = readPartialRange(cursor)
      } else cursor.fail(`FETCH has no modifier ${name.slice(0, 40)}`)
    }, 10)
    if (read.length === 0) cursor.fail('a modifier is wanted')
  }
  // RFC 7162 §3.2.6: of UID FETCH alone, with CHANGEDSINCE, behind ENABLE QRESYNC.
  if (vanished && (!byUid || changedSince === undefined || !turn.enabled.qresync)) {
    cursor.fail('VANISHED is for UID FETCH with CHANGEDSINCE, once QRESYNC is enabled')
  }
  return {
    vanished,
    ...(changedSince === undefined ? {} : { changedSince }),
    ...(partial === undefined ? {} : { partial }),
  }
}

/** Of these UIDs those that the modifiers leave; what vanished is told meanwhile. */
export function* narrowed(
  turn: Turn,
  set: NumberSet,
  uids: readonly number[],
  { changedSince, vanished, partial }: FetchModifiers,
): Running<readonly number[] | Result> {
  const some = partial === undefined ? uids : partOf(uids, partial)
  if (changedSince === undefined) return some
  turn.condstore()
  const view = viewOf(turn)
  const answer = yield* ask<'since'>({ kind: 'since', key: view.key, modSeq: changedSince })
  if (answer.kind === 'no') return refused(answer)
  if (vanished) {
    const isAsked = rangesHold(set, view.uids.at(-1) ?? 0)
    const { vanished: earlier, forgotten } = answer.changes
    const gone = forgotten
      ? formatMissing(view.uids, view.uidNext, set)
      : formatNumbers(earlier.filter(uid => isAsked(uid) && view.sequence(uid) === 0))
    if (gone !== '') turn.send(`* VANISHED (EARLIER) ${gone}\r\n`)
  }
  const changed = new Set(answer.changes.present.map(({ uid }) => uid))
  return some.filter(uid => changed.has(uid))
}
