/**
 * URLAUTH (RFC 4467): GENURLAUTH signs a URL so that others may fetch what it names, URLFETCH fetches, RESETKEY makes
 * what was signed void. There is one mechanism, INTERNAL.
 */
import type { Cursor } from '../../cursor.ts'
import { formatString, octetsOf } from '../../encode.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { type ImapUrl, parseImapUrl } from '../../url.ts'
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
    if (answer.kind === 'no') return refused(answer)
    signed.push(`${url.authority.rump}:internal:${answer.token}`)
  }
  turn.send(`* GENURLAUTH${signed.map(url => ` ${text(url)}`).join('')}\r\n`)
  return ok('GENURLAUTH completed')
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
  return answer.kind === 'no' ? refused(answer) : ok('what was signed before is void')
}

/** `urlfetch = "URLFETCH" 1*(SP url-full)`: NIL for what cannot be had, whatever the reason (§7). */
export function* urlFetch(turn: Turn, cursor: Cursor): Running<Result> {
  const asked: { written: string; url: ImapUrl | undefined }[] = []
  do {
    cursor.space()
    const written = cursor.astring()
    asked.push({ written, url: parseImapUrl(Buffer.from(written, 'latin1').toString('utf8')) })
  } while (!cursor.ended && asked.length < URLS_MAX)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.send('* URLFETCH')
  for (const { written, url } of asked) {
    const account = accountOf(turn)
    const answer =
      url?.authority === undefined
        ? undefined
        : yield* ask<'fetch url'>({ kind: 'fetch url', account, url })
    if (answer?.kind !== 'octets') {
      turn.send(` ${formatString(written)} NIL`)
      continue
    }
    turn.send(` ${formatString(written)} {${answer.sizeOctets}}\r\n`)
    if (answer.content instanceof Uint8Array) turn.send(answer.content)
    else turn.stream(answer.content)
    if (turn.full) yield* output()
  }
  turn.send('\r\n')
  return ok('URLFETCH completed')
}

function readUrl(cursor: Cursor): ImapUrl | undefined {
  return parseImapUrl(Buffer.from(cursor.astring(), 'latin1').toString('utf8'))
}

function text(url: string): string {
  return formatString(octetsOf(url))
}
