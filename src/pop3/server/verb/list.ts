/**
 * LIST (RFC 1939 §5) and UIDL (§7): the scan listing and the unique-id listing, of one message or of
 * all. A long one is made in slices while it leaves, never as one string.
 */
import { ok, TERMINATOR } from '../../reply.ts'
import { pick } from '../pick.ts'
import type { Input, Step, Turn } from '../turn.ts'

/** Listings of up to this many messages are sent in one piece: some 10 KB. */
const ONE_PIECE_MESSAGES = 500

export function* list(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const { maildrop } = turn
  const total = `${maildrop.count} messages (${maildrop.octets} octets)`
  return listing(turn, argument, total, number => `${number} ${maildrop.size(number)}`)
}

export function* uidl(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  const { maildrop } = turn
  return listing(turn, argument, 'unique-ids follow', number => {
    return `${number} ${maildrop.uniqueId(number)}`
  })
}

function listing(
  turn: Turn,
  argument: string,
  title: string,
  line: (number: number) => string,
): boolean {
  if (argument !== '') {
    const number = pick(turn, argument)
    if (number === undefined) return false
    turn.send(ok(line(number)))
    return true
  }
  turn.send(ok(title))
  const slices = turn.maildrop.slices(number => `${line(number)}\r\n`)
  if (turn.maildrop.count > ONE_PIECE_MESSAGES) turn.stream(octetsOf(slices))
  else for (const slice of slices) turn.send(slice)
  turn.send(TERMINATOR)
  return true
}

async function* octetsOf(slices: Iterable<string>): AsyncGenerator<Uint8Array, void, void> {
  for (const slice of slices) yield Buffer.from(slice, 'latin1')
}
