/**
 * URLAUTH (RFC 4467, RFC 5524): GENURLAUTH signs a URL so that others may fetch what it names, URLFETCH fetches, RESETKEY makes
 * what was signed void. There is one mechanism, INTERNAL.
 */
import type { Cursor } from '../../cursor.ts'
import { formatString, octetsOf } from '../../encode.ts'
import { wantsLiteral8, withoutNul } from '../../literal.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { type ImapUrl, parseImapUrl } from '../../url.ts'
import type { No, SectionAnswer } from '../question.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  ok,
  output,
  type Result,
  type Running,
  refused,
  type Turn,
} from '../turn.ts'

/** URLs in one command. */
const URLS_MAX = 100

/** `genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism)`. */
export function* genUrlAuth(turn: Turn, cursor: Cursor): Running<Result> {
  const asked: { url: ImapUrl | undefined; mechanism: string }[] = []
  do {
    cursor.space()
    const url = readUrl(cursor)
    cursor.space()
    asked.push({ url, mechanism: cursor.word() })
  } while (!cursor.ended && asked.length < URLS_MAX)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (asked.some(({ mechanism }) => mechanism !== 'INTERNAL')) {
    return no('INTERNAL is the only mechanism', 'CANNOT')
  }
  const signed: string[] = []
  for (const { url } of asked) {
    // §6: it is whole, but for what is to be made here.
    if (url?.authority === undefined || url.authority.mechanism !== undefined) {
      return bad('a URL up to its access is wanted')
    }
    const account = accountOf(turn)
    const answer = yield* ask<'sign url'>({ kind: 'sign url', account, url })
    if (answer.kind === 'no') return unsigned(answer)
    signed.push(`${url.authority.rump}:internal:${answer.token}`)
  }
  turn.send(`* GENURLAUTH${signed.map(url => ` ${text(url)}`).join('')}\r\n`)
  return ok('GENURLAUTH completed')
}

/** RFC 4467 §6: a URL of what is not there, or not one's own, is BAD. */
function unsigned(answer: No): Result {
  const { code, why } = answer
  return code === 'NONEXISTENT' || code === 'NOPERM' ? bad(why, code) : refused(answer)
}

/** `resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]`. */
export function* resetKey(turn: Turn, cursor: Cursor): Running<Result> {
  const one = cursor.take(' ')
  const mailbox = one ? readMailboxName(cursor, turn.enabled.utf8) : undefined
  const mechanisms: string[] = []
  while (cursor.take(' ') && mechanisms.length < URLS_MAX) mechanisms.push(cursor.word())
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (mechanisms.some(mechanism => mechanism !== 'INTERNAL')) {
    return no('INTERNAL is the only mechanism', 'CANNOT')
  }
  const account = accountOf(turn)
  const named = mailbox === undefined ? {} : { mailbox }
  const answer = yield* ask<'reset key'>({ kind: 'reset key', account, ...named })
  if (answer.kind === 'no') return refused(answer)
  // RFC 4467 §7: of a mailbox that is named it is told by which mechanisms its URLs may be signed.
  return ok('what was signed before is void', one ? 'URLMECH INTERNAL' : undefined)
}

interface Asked {
  readonly written: string
  readonly url: ImapUrl | undefined
  /** What of it (RFC 5524); empty in the simple form. */
  readonly wishes: readonly Wish[]
}

const WISHES = ['BODYPARTSTRUCTURE', 'BINARY', 'BODY'] as const
type Wish = (typeof WISHES)[number]

/** `urlfetch = "URLFETCH" 1*(SP url-fetch-arg)`: NIL for what cannot be had, whatever the reason (§7). */
export function* urlFetch(turn: Turn, cursor: Cursor): Running<Result> {
  const asked: Asked[] = []
  do {
    cursor.space()
    asked.push(readAsked(cursor))
  } while (!cursor.ended && asked.length < URLS_MAX)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.send('* URLFETCH')
  for (const each of asked) {
    turn.send(` ${formatString(each.written)}`)
    yield* tell(turn, each)
    if (turn.full) yield* output()
  }
  turn.send('\r\n')
  return ok('URLFETCH completed')
}

/** `url-fetch-arg = url-full / "(" url-full *(SP url-fetch-param) ")"`. */
function readAsked(cursor: Cursor): Asked {
  const extended = cursor.take('(')
  const written = cursor.astring()
  const wishes: Wish[] = []
  while (extended && cursor.take(' ')) {
    const word = cursor.word()
    const wish = WISHES.find(each => each === word)
    if (wish === undefined) cursor.fail(`URLFETCH has no ${word.slice(0, 40)}`)
    else if (wishes.includes(wish)) cursor.fail('each may stand once')
    else wishes.push(wish)
  }
  if (extended) cursor.expect(')')
  // RFC 5524 §3.1.
  if (wishes.includes('BINARY') && wishes.includes('BODY')) cursor.fail('BINARY or BODY')
  return { written, url: parseImapUrl(Buffer.from(written, 'latin1').toString('utf8')), wishes }
}

/** SP nstring, or each of what was wished for in parentheses (RFC 5524 §3.2). */
function* tell(turn: Turn, { url, wishes }: Asked): Running<void> {
  const binary = wishes.includes('BINARY')
  const structure = wishes.includes('BODYPARTSTRUCTURE')
  const answer =
    url?.authority === undefined
      ? undefined
      : yield* ask<'fetch url'>({
          kind: 'fetch url',
          account: accountOf(turn),
          url,
          as: binary ? 'binary' : 'octets',
          ...(structure && { structure: { utf8: turn.enabled.utf8 } }),
        })
  if (answer?.kind !== 'named') turn.send(' NIL')
  else if (wishes.length === 0) tellOctets(turn, answer.data, ' ', '')
  else {
    if (structure) turn.send(` (BODYPARTSTRUCTURE ${answer.structure ?? 'NIL'})`)
    if (binary) tellOctets(turn, answer.data, ' (BINARY ', ')', true)
    else if (wishes.includes('BODY')) tellOctets(turn, answer.data, ' (BODY ', ')')
  }
}

/** @param binary a literal8 may stand here */
function tellOctets(
  turn: Turn,
  data: SectionAnswer,
  before: string,
  behind: string,
  binary = false,
): void {
  if (data.kind !== 'octets') {
    turn.send(`${before}NIL${behind}`)
    return
  }
  const eight = binary && wantsLiteral8(data)
  const content = eight ? data.content : withoutNul(data)
  turn.send(`${before}${eight ? '~' : ''}{${data.sizeOctets}}\r\n`)
  if (content instanceof Uint8Array) turn.send(content)
  else turn.stream(content)
  turn.send(behind)
}

function readUrl(cursor: Cursor): ImapUrl | undefined {
  return parseImapUrl(Buffer.from(cursor.astring(), 'latin1').toString('utf8'))
}

function text(url: string): string {
  return formatString(octetsOf(url))
}
