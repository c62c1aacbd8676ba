/**
 * The message a verb names (RFC 1939 §3): a number the maildrop had at login and that is not marked as
 * deleted. Called by LIST, UIDL, RETR, TOP and DELE.
 */
import { parseMessageNumber } from '../command.ts'
import { replies } from '../reply.ts'
import type { Turn } from './turn.ts'

/** The number, or undefined where it was refused. */
export function pick(turn: Turn, text: string): number | undefined {
  const number = parseMessageNumber(text)
  const reply =
    number === undefined
      ? replies.badNumber
      : !turn.maildrop.has(number)
        ? replies.noSuchMessage
        : turn.maildrop.marked(number)
          ? replies.deletedMessage
          : undefined
  if (reply === undefined) return number
  turn.refuse(reply)
  return undefined
}
