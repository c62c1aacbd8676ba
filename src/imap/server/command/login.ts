/** LOGIN (RFC 9051 §6.2.3): a name and a password in the clear, so only under TLS. */

import type { Account } from '../../../sasl/mechanism.ts'
import type { Cursor } from '../../cursor.ts'
import { capabilities } from '../capability.ts'
import { ask, bad, no, ok, type Result, type Running, type Turn } from '../turn.ts'

/** `login = "LOGIN" SP userid SP password`, both astrings. */
export function* login(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const name = cursor.astring()
  cursor.space()
  const password = cursor.astring()
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (turn.peer.tls === undefined && !turn.settings.plaintextAuth) {
    return no('passwords are taken under TLS only: use STARTTLS', 'PRIVACYREQUIRED')
  }
  const username = utf8(name)
  const secret = utf8(password)
  if (username === undefined || secret === undefined) return deniedBy(turn)
  const answer = yield* ask<'login'>({
    kind: 'login',
    peer: turn.peer,
    question: { kind: 'password', mechanism: 'LOGIN', username, authorize: '', password: secret },
  })
  if (answer.kind === 'account') return enter(turn, answer.account)
  if (answer.kind === 'denied') return deniedBy(turn)
  return unavailable(answer.kind === 'unavailable' && answer.limit === true)
}

/** Logged in: the capabilities have changed, so they are told at once (RFC 9051 §6.2.2). */
export function enter(turn: Turn, account: Account): Result {
  turn.peer = { ...turn.peer, account }
  turn.state = 'authenticated'
  return ok('logged in', `CAPABILITY ${capabilities(turn)}`)
}

/** One text for a wrong name and a wrong password; only who is `proven` hears that he may not act as another (RFC 5530). */
export function deniedBy(turn: Turn, proven = false): Result {
  turn.denied()
  if (proven) return no('you may not act as that one', 'AUTHORIZATIONFAILED')
  return no('wrong name or password', 'AUTHENTICATIONFAILED')
}

export function unavailable(limited = false): Result {
  if (limited) return no('this account has too many sessions', 'LIMIT')
  return no('logins cannot be checked now', 'UNAVAILABLE')
}

/** Octets as the UTF-8 they must be. */
function utf8(octets: string): string | undefined {
  const text = Buffer.from(octets, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? undefined : text
}
