/** USER and PASS (RFC 1939 §7), under TLS or where the listener says otherwise (RFC 8314 §4). */
import { prepare } from '../../../sasl/prepare.ts'
import { ok, replies } from '../../reply.ts'
import { enter } from '../enter.ts'
import { ask, type Input, type Step, type Turn } from '../turn.ts'
import { passwordsTaken } from './capa.ts'

/** `USER name`. Says yes to every name: who exists is nobody's business (RFC 1939 §13). */
export function* user(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (!passwordsTaken(turn)) return turn.refuse(replies.plaintextRefused)
  if (argument === '') return turn.refuse(replies.noName)
  turn.user = argument
  turn.send(ok('send your password'))
  return true
}

/** `PASS string`: the whole rest of the line, spaces too, immediately behind a successful USER. */
export function* pass(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (turn.user === undefined) return turn.refuse(replies.noUser)
  // As PLAIN does (RFC 4616 §2), so that a password is the same one whatever it comes by.
  const username = prepare(turn.user)
  const password = prepare(argument)
  if (username === undefined || password === undefined) return turn.denied(replies.denied)
  const login = yield* ask<'login'>({
    kind: 'login',
    peer: turn.peer,
    question: { kind: 'password', mechanism: 'USER', username, authorize: '', password },
  })
  switch (login.kind) {
    case 'account':
      return yield* enter(turn, login.account)
    case 'denied':
      return turn.denied(replies.denied)
    default:
      return turn.refuse(replies.unavailable)
  }
}
