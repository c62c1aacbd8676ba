/** CAPABILITY, NOOP, CHECK and LOGOUT (RFC 9051 §6.1.1 to §6.1.3, RFC 3501 §6.4.1). */
import type { Cursor } from '../../cursor.ts'
import { capabilities } from '../capability.ts'
import { tellNews } from '../news.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  nothingEnabled,
  ok,
  type Result,
  type Running,
  type Turn,
} from '../turn.ts'
import { leave } from './close.ts'

export function* capability(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.send(`* CAPABILITY ${capabilities(turn)}\r\n`)
  return ok('CAPABILITY completed')
}

/** Also the way to poll: what happened is asked for whether we were told or not. */
export function* noop(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  yield* tellNews(turn, true)
  return ok('NOOP completed')
}

/** Everything is durable at once here, so there is nothing to check (RFC 3501 §6.4.1). */
export function* check(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  yield* tellNews(turn, true)
  return ok('CHECK completed')
}

/**
 * UNAUTHENTICATE (RFC 8437): as if the connection were new, but for TLS. Compression would have to end with it on both
 * sides (§4.1), and does not end here: so it is not offered under it.
 */
export function* unauthenticate(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (turn.compression === 'on') return no('not under compression: connect anew', 'CANNOT')
  yield* leave(turn)
  if (turn.watched !== undefined) {
    turn.watched = undefined
    yield* ask<'watch'>({ kind: 'watch', account: accountOf(turn), on: false })
  }
  const { remote, local, tls } = turn.peer
  turn.peer = { remote, local, ...(tls === undefined ? {} : { tls }) }
  turn.state = 'not authenticated'
  turn.enabled = nothingEnabled()
  return ok('nobody is logged in', `CAPABILITY ${capabilities(turn)}`)
}

export function* logout(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.view = undefined
  turn.state = 'logout'
  turn.send('* BYE until next time\r\n')
  return ok('LOGOUT completed')
}
