/**
 * APPEND (RFC 9051 §6.3.12) of one or several messages (MULTIAPPEND, RFC 3502), and REPLACE (RFC 8508) of one by
 * another: their octets pass through to policy as they come, and all are there by one transaction or none is.
 * A message may come as a literal8 (RFC 3516 §4.4) or as `UTF8 (~{n}...)` (RFC 6855 §4).
 */
import type { Announced } from '../../cursor.ts'
import { Cursor } from '../../cursor.ts'
import { readDateTime } from '../../date-time.ts'
import { readFlagList } from '../../flag.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { formatNumbers, type NumberRange } from '../../number-set.ts'
import { tellNews } from '../news.ts'
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
  viewOf,
} from '../turn.ts'

/** `[flag-list SP] [date-time SP] ["UTF8 ("]`, behind which the literal stands. */
interface Heading {
  readonly flags: readonly string[]
  /** A parenthesis is to be closed behind the literal. */
  readonly utf8: boolean
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

/** The same behind the number of the message that is replaced. */
export function replaceStreams(cursor: Cursor): boolean {
  cursor.space()
  readReplaced(cursor)
  return appendStreams(cursor)
}

/** `append = "APPEND" SP mailbox 1*append-message`. */
export function append(turn: Turn, cursor: Cursor): Running<Result> {
  return carryOut(turn, cursor)
}

/** `replace = "REPLACE" SP seq-number SP mailbox append-message`. */
export const replace = (turn: Turn, cursor: Cursor) => replacing(turn, cursor, false)
export const uidReplace = (turn: Turn, cursor: Cursor) => replacing(turn, cursor, true)

function* replacing(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const set = [readReplaced(cursor)]
  const view = viewOf(turn)
  const uids = byUid ? view.byUid(set, []) : view.bySequence(set, [])
  const [uid] = uids ?? []
  if (uid === undefined && cursor.fault === undefined) {
    const why = byUid ? no('there is no such message', 'NONEXISTENT') : bad('no such number')
    return yield* giveUp(turn, cursor.announced, why)
  }
  if (view.readOnly) {
    const why = no('the mailbox is open read-only', 'CANNOT')
    return yield* giveUp(turn, cursor.announced, why)
  }
  return yield* carryOut(turn, cursor, { key: view.key, uid: uid ?? 0 })
}

function readReplaced(cursor: Cursor): NumberRange {
  const number = cursor.take('*') ? '*' : cursor.positive()
  return { from: number, to: number }
}

function* carryOut(
  turn: Turn,
  cursor: Cursor,
  replaces?: { readonly key: number; readonly uid: number },
): Running<Result> {
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
    const why = yield* mayFollow(turn, mailbox, heading, literal, replaces !== undefined)
    if (why !== undefined) return yield* giveUp(turn, literal, why)
    if (literal.waits) turn.send('+ go on\r\n')
    const nul = yield* content(literal.sizeOctets)
    const rest = yield* line()
    if (rest.kind === 'overlong')
      return yield* giveUp(turn, rest.literal, bad('the line is too long'))
    // RFC 9051 §4.3: only a literal8 may hold NUL.
    if (nul && !literal.binary)
      return yield* giveUp(turn, rest.literal, bad('NUL stands in a literal'))
    const next = new Cursor([rest.text], rest.literal)
    if (heading.utf8) next.expect(')')
    if (next.ended && next.fault === undefined && rest.literal === undefined) break
    next.space()
    heading = readHeading(next)
    next.end()
    literal = rest.literal
    const wrong = next.fault ?? (literal === undefined ? 'a message literal is wanted' : undefined)
    if (wrong !== undefined) return yield* giveUp(turn, literal, bad(wrong))
    if (replaces !== undefined)
      return yield* giveUp(turn, literal, bad('REPLACE takes one message'))
  }
  const commit = { kind: 'commit', account: accountOf(turn), mailbox } as const
  const answer = yield* ask<'commit'>(replaces === undefined ? commit : { ...commit, replaces })
  if (answer.kind === 'no') return refused(answer)
  const code = `APPENDUID ${answer.uidValidity} ${formatNumbers(answer.uids)}`
  if (replaces === undefined) {
    // RFC 9051 §6.3.12: who has that mailbox open is told of it at once.
    if (turn.view?.mailbox === mailbox) yield* tellNews(turn, true)
    return ok('APPEND completed', code)
  }
  // RFC 8508 §3.4: first where the new one is, then that the old one is gone.
  turn.send(`* OK [${code}] the replacement is there\r\n`)
  yield* tellNews(turn, true)
  return ok('REPLACE completed')
}

function readHeading(cursor: Cursor): Heading {
  let flags: readonly string[] = []
  if (cursor.next === 0x28) {
    flags = readFlagList(cursor)
    cursor.space()
  }
  let internalDate: number | undefined
  if (cursor.next === 0x22) {
    internalDate = readDateTime(cursor)
    cursor.space()
  }
  const utf8 = cursor.take('UTF8 (')
  return { flags, utf8, ...(internalDate === undefined ? {} : { internalDate }) }
}

/** Asks policy; gives why not. */
function* mayFollow(
  turn: Turn,
  mailbox: string,
  heading: Heading,
  { sizeOctets, binary }: Announced,
  replacing: boolean,
): Running<Result | undefined> {
  if (heading.utf8 && !turn.enabled.utf8Accept)
    return bad('UTF8 is for who has enabled UTF8=ACCEPT')
  if (heading.utf8 && !binary) return bad('UTF8 wants a literal8')
  const { appendMaxOctets } = turn.settings
  if (appendMaxOctets > 0 && sizeOctets > appendMaxOctets) {
    return no(`a message may have ${appendMaxOctets} octets`, 'TOOBIG')
  }
  // RFC 3502 §6.3.11: an empty literal cancels the whole command.
  if (sizeOctets === 0) return no('a message of no octets')
  const { flags, internalDate } = heading
  const given = {
    ...(internalDate !== undefined && { internalDate }),
    ...(replacing && { replacing }),
  }
  const message = { mailbox, sizeOctets, flags, ...given }
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
    coming = (yield* line()).literal
  }
  return result
}
