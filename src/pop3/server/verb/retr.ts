/**
 * RETR (RFC 1939 §5) and TOP (§7): content, dot-stuffed while it leaves (RFC 1939 §3). What was
 * retrieved is not thereby deleted, nor marked.
 */
import type { Source } from '../../../wire/effect.ts'
import { parseLineCount } from '../../command.ts'
import { err, ok, replies } from '../../reply.ts'
import { pick } from '../pick.ts'
import { topOf } from '../top.ts'
import { ask, type Input, type Step, type Turn } from '../turn.ts'

export function* retr(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const number = pick(turn, argument)
  if (number === undefined) return false
  return yield* send(
    turn,
    number,
    octets => `${octets} octets`,
    content => content,
  )
}

/** `TOP msg n`: both arguments are required. */
export function* top(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const [first = '', second = '', ...more] = argument.split(' ')
  const lines = parseLineCount(second)
  if (lines === undefined || more.length > 0) return turn.refuse(replies.badTop)
  const number = pick(turn, first)
  if (number === undefined) return false
  const title = () => 'top of the message follows'
  return yield* send(turn, number, title, content => topOf(content, lines))
}

function* send(
  turn: Turn,
  number: number,
  title: (sizeOctets: number) => string,
  part: (content: Source) => Source,
): Generator<Step, boolean, Input> {
  const uid = turn.maildrop.uid(number)
  const answer = yield* ask<'retrieve'>({ kind: 'retrieve', peer: turn.peer, uid, utf8: turn.utf8 })
  switch (answer.kind) {
    case 'content':
      turn.send(ok(title(answer.sizeOctets)))
      turn.stuff(part(answer.content))
      return true
    case 'gone':
      return turn.refuse(replies.gone)
    case 'refused':
      return turn.refuse(err(answer.why, answer.code))
  }
}
