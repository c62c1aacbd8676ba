/** DELE (RFC 1939 §5): marks a message; nothing is removed before UPDATE. */
import { ok } from '../../reply.ts'
import { pick } from '../pick.ts'
import type { Input, Step, Turn } from '../turn.ts'

export function* dele(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const number = pick(turn, argument)
  if (number === undefined) return false
  turn.maildrop.mark(number)
  turn.send(ok(`message ${number} marked as deleted`))
  return true
}
