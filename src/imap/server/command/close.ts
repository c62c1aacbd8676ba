/** CLOSE and UNSELECT (RFC 9051 §6.4.1, §6.4.2): leaves the mailbox, with or without an expunge. */
import type { Cursor } from '../../cursor.ts'
import { ask, bad, ok, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'

/** Expunges silently, unless the mailbox was opened read-only. */
export function* close(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  if (!view.readOnly) {
    const answer = yield* ask<'expunge'>({ kind: 'expunge', key: view.key })
    // RFC 4314 §4: who may not expunge closes all the same.
    if (answer.kind === 'no' && answer.code !== 'NOPERM') return refused(answer)
  }
  yield* leave(turn)
  return ok('CLOSE completed')
}

export function* unselect(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  yield* leave(turn)
  return ok('UNSELECT completed')
}

/** No mailbox is open from now on, and nothing more is told of it. */
export function* leave(turn: Turn): Running<void> {
  const { view } = turn
  turn.view = undefined
  turn.saved = []
  turn.contexts = []
  turn.state = 'authenticated'
  if (view !== undefined) yield* ask<'leave'>({ kind: 'leave', key: view.key })
}
