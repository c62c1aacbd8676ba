/**
 * NOTIFY (RFC 5465): what happens in mailboxes that are not open is told too, and what happens in the open one is told
 * without being asked for.
 */
import type { Cursor } from '../../cursor.ts'
import { EVENTS, readNotify } from '../../notify.ts'
import { tellNews } from '../news.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  ok,
  type Result,
  type Running,
  refused,
  type Turn,
} from '../turn.ts'
import { type Manner, Watched } from '../watched.ts'

/** `notify = "NOTIFY" SP ("SET" [SP "STATUS"] 1*(SP event-group) / "NONE")`. */
export function* notify(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const word = cursor.word()
  if (word === 'NONE') {
    cursor.end()
    if (cursor.fault !== undefined) return bad(cursor.fault)
    turn.watched = undefined
    yield* ask<'watch'>({ kind: 'watch', account: accountOf(turn), on: false })
    return ok('NOTIFY completed')
  }
  if (word !== 'SET') cursor.fail('NOTIFY is SET or NONE')
  const wish = readNotify(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  // §3.1: those that are told here are named.
  if (wish === undefined)
    return no('not all of these are told here', `BADEVENT (${EVENTS.join(' ')})`)
  const answer = yield* ask<'watch'>({ kind: 'watch', account: accountOf(turn), on: true })
  if (answer.kind === 'no') return refused(answer)
  const watched = new Watched(wish, answer.kind === 'watched' ? answer.mailboxes : [])
  turn.watched = watched
  // §3: it is a NOOP too.
  yield* tellNews(turn, true)
  if (wish.status) turn.send(watched.all(mannerOf(turn)))
  return ok('NOTIFY completed')
}

/** Tells what happened in mailboxes that are not open. */
export function* tellWatched(turn: Turn): Running<void> {
  if (turn.watched === undefined) return
  const answer = yield* ask<'watched'>({ kind: 'watched', account: accountOf(turn) })
  if (answer.kind !== 'watched') return
  const text = turn.watched.news(answer.mailboxes, mannerOf(turn))
  if (text !== '') turn.send(text)
}

/**
 * Between commands: of the open mailbox only where it was asked for; numbers change there only where the client did
 * not want them to wait (§3, SELECTED-DELAYED).
 */
export function* tellUnasked(turn: Turn): Running<boolean> {
  const scope = turn.watched?.selected
  if (scope !== undefined && scope.events.size > 0 && scope.scope.kind === 'selected') {
    yield* tellNews(turn, !scope.scope.delayed)
  }
  yield* tellWatched(turn)
  return true
}

function mannerOf(turn: Turn): Manner {
  const { utf8, condstore } = turn.enabled
  return { utf8, condstore, selected: turn.view?.mailbox }
}
