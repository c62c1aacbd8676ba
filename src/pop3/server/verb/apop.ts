/**
 * `APOP name digest` (RFC 1939 §7): the MD5 of the greeting's timestamp and the password, so that this does not
 * cross the wire. Off by default, as the server must know the password for it.
 */
import { apop as exchangeOf } from '../../../sasl/apop.ts'
import { replies } from '../../reply.ts'
import { enter } from '../enter.ts'
import { ask, type Input, type Step, type Turn } from '../turn.ts'

export function* apop(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const { timestamp } = turn
  if (timestamp === undefined) return turn.refuse(replies.noApop)
  const [, name = '', digest] = /^(\S+) ([0-9a-f]{32})$/.exec(argument) ?? []
  if (digest === undefined) return turn.refuse(replies.badApop)
  const steps = exchangeOf(timestamp, name, digest)
  let step = steps.next()
  while (step.done !== true) {
    // The greeting was the only challenge.
    if (step.value.kind === 'challenge') return turn.refuse(replies.badApop)
    const { question } = step.value
    step = steps.next(yield* ask<'login'>({ kind: 'login', peer: turn.peer, question }))
  }
  const { value: result } = step
  if (result.kind === 'done') return yield* enter(turn, result.account)
  return result.reason === 'unavailable'
    ? turn.refuse(replies.unavailable)
    : turn.denied(replies.denied)
}
