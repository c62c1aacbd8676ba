/**
 * APPEND (RFC 9051 §6.3.12) of one or several messages (MULTIAPPEND, RFC 3502), and REPLACE (RFC 8508) of one by
 * another: their octets pass through to policy as they come, and all are there by one transaction or none is.
 * A message may come as a literal8 (RFC 3516 §4.4), as `UTF8 (~{n}...)` (RFC 6855 §4), or in parts, of which some are here
 * already (CATENATE, RFC 4469).
 */
import type { Announced } from '../../cursor.ts'
import { Cursor } from '../../cursor.ts'
import { readDateTime } from '../../date-time.ts'
import { readFlagList } from '../../flag.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { formatNumbers, type NumberRange } from '../../number-set.ts'
import { type ImapUrl, parseImapUrl } from '../../url.ts'
import { tooMany } from '../message-limit.ts'
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
  readAway,
  refused,
  type Turn,
  viewOf,
} from '../turn.ts'

/** `[flag-list SP] [date-time SP] ["UTF8 ("]`, behind which the literal stands. */
interface Heading {
  readonly flags: readonly string[]
  /** A parenthesis is to be closed behind the literal. */
  readonly utf8: boolean
  /** Its parts follow (RFC 4469). */
  readonly catenate: boolean
  readonly internalDate?: number
}

/** The literal is the message's or a TEXT of it, or something before it is wrong: mailbox and URLs may be literals too. */
export function appendStreams(cursor: Cursor): boolean {
  cursor.space()
  cursor.astring()
  cursor.space()
  const { catenate } = readHeading(cursor)
  while (catenate && cursor.take('URL ')) {
    cursor.astring()
    cursor.space()
  }
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
  const target = { mailbox, replacing: replaces !== undefined }
  let messages = 0
  for (let at = cursor, more = true; more; ) {
    const refusal = tooMany(turn, ++messages, true)
    if (refusal !== undefined) return yield* giveUp(turn, at.announced, refusal)
    const heading = readHeading(at)
    const taken = heading.catenate
      ? yield* catenate(turn, at, target, heading)
      : yield* message(turn, at, target, heading)
    if ('text' in taken) return taken
    at = taken
    more = !at.ended || at.fault !== undefined || at.announced !== undefined
    if (more && replaces !== undefined) {
      return yield* giveUp(turn, at.announced, bad('REPLACE takes one message'))
    }
    if (more) at.space()
  }
  const commit = { kind: 'commit', account: accountOf(turn), mailbox } as const
  const answer = yield* ask<'commit'>(replaces === undefined ? commit : { ...commit, replaces })
  if (answer.kind === 'no') return refused(answer)
  const { uidValidity, uids, untold } = answer
  const code = untold ? undefined : `APPENDUID ${uidValidity} ${formatNumbers(uids)}`
  if (replaces === undefined) {
    // RFC 9051 §6.3.12: who has that mailbox open is told of it at once.
    if (turn.view?.mailbox === mailbox) yield* tellNews(turn, true)
    return ok('APPEND completed', code)
  }
  // RFC 8508 §3.4: first where the new one is, then that the old one is gone.
  turn.send(`* OK ${code === undefined ? '' : `[${code}] `}the replacement is there\r\n`)
  yield* tellNews(turn, true)
  return ok('REPLACE completed')
}

/** Where messages go. */
interface Target {
  readonly mailbox: string
  /** REPLACE: another message goes for it. */
  readonly replacing: boolean
}

/** One message as a literal; gives the line behind it, or why nothing is appended. */
function* message(
  turn: Turn,
  cursor: Cursor,
  target: Target,
  heading: Heading,
): Running<Cursor | Result> {
  cursor.end()
  const literal = cursor.announced
  if (cursor.fault !== undefined) return yield* giveUp(turn, literal, bad(cursor.fault))
  if (literal === undefined) return yield* giveUp(turn, literal, bad('a message literal is wanted'))
  const why = yield* mayFollow(turn, target, heading, literal)
  if (why !== undefined) return yield* giveUp(turn, literal, why)
  const next = yield* take(turn, literal)
  if (!('text' in next) && heading.utf8) next.expect(')')
  return next
}

/** The octets of a literal go to policy; gives the line behind them. */
function* take(turn: Turn, literal: Announced): Running<Cursor | Result> {
  if (literal.waits) turn.send('+ go on\r\n')
  const nul = yield* content(literal.sizeOctets)
  const rest = yield* line()
  if (rest.kind === 'overlong')
    return yield* giveUp(turn, rest.literal, bad('the line is too long'))
  // RFC 9051 §4.3: only a literal8 may hold NUL.
  if (nul && !literal.binary)
    return yield* giveUp(turn, rest.literal, bad('NUL stands in a literal'))
  return new Cursor([rest.text], rest.literal)
}

/**
 *     append-data =/ "CATENATE" SP "(" cat-part *(SP cat-part) ")"
 *     cat-part = "URL" SP url / "TEXT" SP literal            (RFC 4469 §5)
 *     cat-part =/ "UTF8" SP "(" literal8 ")"                 (RFC 6855 §4)
 *
 * One message, of parts that are here and parts that are sent.
 */
function* catenate(
  turn: Turn,
  first: Cursor,
  target: Target,
  heading: Heading,
): Running<Cursor | Result> {
  const begun = first.fault ?? (yield* begin(turn, target, heading, 0))
  if (begun !== undefined) {
    const why = typeof begun === 'string' ? bad(begun) : begun
    return yield* giveUp(turn, first.announced, why)
  }
  const { appendMaxOctets: most } = turn.settings
  let cursor = first
  let octets = 0
  do {
    const { url, utf8 } = readPart(cursor, turn.enabled.utf8Accept)
    const literal = cursor.announced
    if (cursor.fault !== undefined) return yield* giveUp(turn, literal, bad(cursor.fault))
    if (url !== undefined) {
      const size = yield* appendUrl(turn, url)
      if (size === undefined) {
        return yield* giveUp(turn, literal, no('there is nothing by that URL', badUrl(url)))
      }
      octets += size
    } else octets += literal?.sizeOctets ?? 0
    if (most > 0 && octets > most) {
      return yield* giveUp(turn, literal, no(`a message may have ${most} octets`, 'TOOBIG'))
    }
    if (url === undefined && literal !== undefined) {
      const next = yield* take(turn, literal)
      if ('text' in next) return next
      cursor = next
      if (utf8) cursor.expect(')')
    }
  } while (cursor.take(' '))
  cursor.expect(')')
  if (cursor.fault !== undefined) {
    return yield* giveUp(turn, cursor.announced, bad(cursor.fault))
  }
  if (octets === 0) return yield* giveUp(turn, cursor.announced, no('a message of no octets'))
  return cursor
}

/** Up to the literal of a part, or a whole URL. */
function readPart(
  cursor: Cursor,
  utf8Accept: boolean,
): { readonly url?: string; readonly utf8: boolean } {
  if (cursor.take('URL ')) return { url: cursor.astring(), utf8: false }
  const utf8 = cursor.take('UTF8 (')
  if (!utf8) cursor.expect('TEXT ')
  cursor.end()
  const literal = cursor.announced
  if (literal === undefined) cursor.fail(`${utf8 ? 'UTF8' : 'TEXT'} wants a literal`)
  const why = utf8 ? notUtf8(utf8Accept, literal) : undefined
  if (why !== undefined) cursor.fail(why)
  return { utf8 }
}

/** RFC 6855 §4. */
function notUtf8(utf8Accept: boolean, literal: Announced | undefined): string | undefined {
  if (!utf8Accept) return 'UTF8 is for who has enabled UTF8=ACCEPT'
  return literal?.binary === false ? 'UTF8 wants a literal8' : undefined
}

/** Of a URL so much is told again: a longer one is none of ours. */
const URL_TOLD_MAX_CHARS = 2_000

/** `badurl-response-code = "BADURL" SP url-resp-text` (RFC 4469 §5): nothing in it ends the code or the line. */
function badUrl(url: string): string {
  const hex = (octet: string) => octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
  const safe = url.replace(/[^\x21\x23-\x5b\x5e-\x7e]/g, octet => `%${hex(octet)}`)
  return `BADURL "${safe.slice(0, URL_TOLD_MAX_CHARS)}"`
}

/** How many octets came of it; undefined where it names nothing that may be read. */
function* appendUrl(turn: Turn, text: string): Running<number | undefined> {
  const url = parseImapUrl(absolute(turn, text))
  if (url === undefined || !isHere(turn, url)) return undefined
  const answer = yield* ask<'append url'>({ kind: 'append url', account: accountOf(turn), url })
  return answer.kind === 'no' ? undefined : answer.sizeOctets
}

/** RFC 4469 §3: what begins with the message is of the mailbox that is open. */
function absolute({ view }: Turn, text: string): string {
  const here = view !== undefined && /^;UID=/i.test(text)
  return here ? `/${encodeURIComponent(view.mailbox)}/${text}` : text
}

/** A relative URL is of this server, and so is one that has the name or the address by which the client came. */
function isHere({ settings, peer }: Turn, { host }: ImapUrl): boolean {
  const name = host?.replace(/:\d+$/, '')
  const ours = [settings.hostname, peer.tls?.servername, peer.local.address, 'localhost']
  return name === undefined || ours.some(each => each?.toLowerCase() === name)
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
  const catenate = !utf8 && cursor.take('CATENATE (')
  return { flags, utf8, catenate, ...(internalDate === undefined ? {} : { internalDate }) }
}

/** Gives why it may not. */
function* mayFollow(
  turn: Turn,
  target: Target,
  heading: Heading,
  literal: Announced,
): Running<Result | undefined> {
  const why = heading.utf8 ? notUtf8(turn.enabled.utf8Accept, literal) : undefined
  if (why !== undefined) return bad(why)
  const { sizeOctets } = literal
  const { appendMaxOctets } = turn.settings
  if (appendMaxOctets > 0 && sizeOctets > appendMaxOctets) {
    return no(`a message may have ${appendMaxOctets} octets`, 'TOOBIG')
  }
  // RFC 3502 §6.3.11: an empty literal cancels the whole command.
  if (sizeOctets === 0) return no('a message of no octets')
  return yield* begin(turn, target, heading, sizeOctets)
}

/** Asks policy; gives why not. */
function* begin(
  turn: Turn,
  { mailbox, replacing }: Target,
  { flags, internalDate }: Heading,
  sizeOctets: number,
): Running<Result | undefined> {
  const given = {
    ...(internalDate !== undefined && { internalDate }),
    ...(replacing && { replacing }),
  }
  const answer = yield* ask<'append'>({
    kind: 'append',
    account: accountOf(turn),
    message: { mailbox, sizeOctets, flags, ...given },
  })
  return answer.kind === 'no' ? refused(answer) : undefined
}

/** Nothing is kept; what the client sends without having asked is read, so that nothing of it is a command. */
function* giveUp(turn: Turn, literal: Announced | undefined, result: Result): Running<Result> {
  yield* ask<'abandon'>({ kind: 'abandon' })
  yield* readAway(turn, literal)
  return result
}
