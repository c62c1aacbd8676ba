/**
 * APPEND (RFC 9051 §6.3.12) of one or several messages (MULTIAPPEND, RFC 3502): their octets pass through to
 * policy as they come, and all are there by one transaction or none is.
 */
import type { Announced } from '../../cursor.ts'
import { Cursor } from '../../cursor.ts'
import { readDateTime } from '../../date-time.ts'
import { readFlagList } from '../../flag.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { formatNumbers } from '../../number-set.ts'
import {
  accountOf,
  ask,
  bad,
  content,
  line,
  no,
  ok,
  type Result,
  type Running,
  refused,
  type Turn,
} from '../turn.ts'

/** `[flag-list SP] [date-time SP]`, behind which the literal stands. */
interface Heading {
  readonly flags: readonly string[]
  readonly internalDate?: number
}

/** What is announced without asking is read to its end up to this; behind it we hang up. */
const SWALLOW_MAX_OCTETS = 256 * 1_048_576

/** The literal is the message's, or something before it is wrong: only the mailbox may be a literal too. */
export function appendStreams(cursor: Cursor): boolean {
  cursor.space()
  cursor.astring()
  cursor.space()
  readHeading(cursor)
  return !cursor.starved
}

export function* append(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  let heading = readHeading(cursor)
  cursor.end()
  let literal = cursor.announced
  const fault =
    cursor.fault ?? (literal === undefined ? 'APPEND wants a message literal' : undefined)
  if (fault !== undefined) return yield* giveUp(turn, literal, bad(fault))
  while (literal !== undefined) {
    const why = yield* mayFollow(turn, mailbox, heading, literal)
    if (why !== undefined) return yield* giveUp(turn, literal, why)
    if (literal.waits) turn.send('+ go on\r\n')
    yield* content(literal.sizeOctets)
    const rest = yield* line()
    if (rest.kind === 'overlong') return yield* giveUp(turn, undefined, bad('the line is too long'))
    if (rest.text === '' && rest.literal === undefined) break
    const next = new Cursor([rest.text], rest.literal)
    next.space()
    heading = readHeading(next)
    next.end()
    literal = rest.literal
    const wrong = next.fault ?? (literal === undefined ? 'a message literal is wanted' : undefined)
    if (wrong !== undefined) return yield* giveUp(turn, literal, bad(wrong))
  }
  const answer = yield* ask<'commit'>({ kind: 'commit', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  return ok('APPEND completed', `APPENDUID ${answer.uidValidity} ${formatNumbers(answer.uids)}`)
}

function readHeading(cursor: Cursor): Heading {
  let flags: readonly string[] = []
  if (cursor.next === 0x28) {
    flags = readFlagList(cursor)
    cursor.space()
  }
  if (cursor.next !== 0x22) return { flags }
  const internalDate = readDateTime(cursor)
  cursor.space()
  return { flags, internalDate }
}

/** Asks policy; gives why not. */
function* mayFollow(
  turn: Turn,
  mailbox: string,
  heading: Heading,
  { sizeOctets }: Announced,
): Running<Result | undefined> {
  const { appendMaxOctets } = turn.settings
  if (appendMaxOctets > 0 && sizeOctets > appendMaxOctets) {
    return no(`a message may have ${appendMaxOctets} octets`, 'TOOBIG')
  }
  // RFC 3502 §6.3.11: an empty literal cancels the whole command.
  if (sizeOctets === 0) return no('a message of no octets')
  const message = { mailbox, sizeOctets, ...heading }
  const answer = yield* ask<'append'>({ kind: 'append', account: accountOf(turn), message })
  return answer.kind === 'no' ? refused(answer) : undefined
}

/** Nothing is kept; what the client sends without having asked is read, so that nothing of it is a command. */
function* giveUp(turn: Turn, literal: Announced | undefined, result: Result): Running<Result> {
  yield* ask<'abandon'>({ kind: 'abandon' })
  let coming = literal
  while (coming !== undefined && !coming.waits) {
    if (coming.sizeOctets > SWALLOW_MAX_OCTETS) {
      turn.send('* BYE the literal is too large\r\n')
      turn.state = 'logout'
      return result
    }
    yield* content(coming.sizeOctets, true)
    const rest = yield* line()
    coming = rest.kind === 'line' ? rest.literal : undefined
  }
  return result
}
