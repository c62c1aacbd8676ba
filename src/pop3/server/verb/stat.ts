/** STAT, NOOP and RSET (RFC 1939 §5): the verbs of one line. */
import { ok, replies } from '../../reply.ts'
import type { Input, Step, Turn } from '../turn.ts'

/** The drop listing: "+OK nn mm", nothing else, as clients parse it. */
export function* stat(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  turn.send(ok(`${turn.maildrop.count} ${turn.maildrop.octets}`))
  return true
}

export function* noop(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  turn.send(ok('done'))
  return true
}

/** Takes all marks away. */
export function* rset(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  const { maildrop } = turn
  maildrop.unmarkAll()
  turn.send(ok(`maildrop has ${maildrop.count} messages (${maildrop.octets} octets)`))
  return true
}
