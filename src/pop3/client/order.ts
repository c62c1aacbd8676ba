/**
 * How each order is carried out: the mirror of server/verb. A generator sends, waits for a line, a
 * listing, content or TLS, and returns the result. What a server may not say is 'broken'.
 */

import { login } from './login.ts'
import type { Order, Result } from './question.ts'
import { serverReply } from './reply.ts'
import type { Dialogue, Talk } from './talk.ts'
import { awaitContent, awaitLine, awaitTls } from './talk.ts'

/** Entries of one listing that are taken, and their octets; more is a server gone mad, or one that means harm. */
const ENTRIES_MAX = 2_000_000
const LISTING_MAX_OCTETS = 64 * 1_048_576

export function* carry(talk: Talk, order: Order): Dialogue<Result> {
  switch (order.kind) {
    case 'capabilities':
      return yield* capabilities(talk)
    case 'startTls':
      return yield* startTls(talk)
    case 'login':
      return yield* login(talk, order.credentials, order.mechanisms)
    case 'stat':
      return yield* stat(talk)
    case 'list':
      return yield* listing(talk, 'LIST')
    case 'uidl':
      return yield* listing(talk, 'UIDL')
    case 'retrieve':
      return yield* content(talk, `RETR ${order.number}`)
    case 'top':
      return yield* content(talk, `TOP ${order.number} ${order.lines}`)
    case 'delete':
      return yield* simple(talk, `DELE ${order.number}`)
    case 'reset':
      return yield* simple(talk, 'RSET')
    case 'noop':
      return yield* simple(talk, 'NOOP')
    case 'quit':
      return yield* simple(talk, 'QUIT')
  }
}

function* simple(talk: Talk, command: string): Dialogue<Result> {
  talk.say(command)
  return serverReply(yield* awaitLine())
}

/** `+OK nn mm` (RFC 1939 §5). */
function* stat(talk: Talk): Dialogue<Result> {
  const result = yield* simple(talk, 'STAT')
  if (result.kind !== 'ok') return result
  const [count = '', octets = ''] = result.text.split(' ')
  return /^\d{1,15}$/.test(count) && /^\d{1,15}$/.test(octets)
    ? { kind: 'stat', count: Number(count), octets: Number(octets) }
    : { kind: 'broken', why: 'STAT was not answered by two numbers' }
}

function* capabilities(talk: Talk): Dialogue<Result> {
  const result = yield* simple(talk, 'CAPA')
  if (result.kind !== 'ok') return result
  const lines = yield* multiLine()
  return Array.isArray(lines) ? { kind: 'capabilities', lines } : lines
}

function* listing(talk: Talk, command: 'LIST' | 'UIDL'): Dialogue<Result> {
  const result = yield* simple(talk, command)
  if (result.kind !== 'ok') return result
  const lines = yield* multiLine()
  if (!Array.isArray(lines)) return lines
  const entries: [number, string][] = []
  for (const line of lines) {
    const [number = '', value = ''] = line.split(' ')
    if (
      !/^\d{1,10}$/.test(number) ||
      value === '' ||
      (command === 'LIST' && !/^\d+$/.test(value))
    ) {
      return { kind: 'broken', why: `${command}: a line that is none` }
    }
    entries.push([Number(number), value])
  }
  return { kind: 'listing', entries }
}

/** The lines up to the terminator, dots taken off (RFC 1939 §3). */
function* multiLine(): Dialogue<string[] | Extract<Result, { kind: 'broken' }>> {
  const lines: string[] = []
  let octets = 0
  for (;;) {
    const line = yield* awaitLine()
    if (line === undefined) return { kind: 'broken', why: 'a line is too long' }
    if (line === '.') return lines
    octets += line.length
    if (lines.length === ENTRIES_MAX || octets > LISTING_MAX_OCTETS)
      return { kind: 'broken', why: 'a listing without end' }
    lines.push(line.startsWith('.') ? line.slice(1) : line)
  }
}

function* content(talk: Talk, command: string): Dialogue<Result> {
  const result = yield* simple(talk, command)
  if (result.kind !== 'ok') return result
  return { kind: 'content', sizeOctets: yield* awaitContent() }
}

/** RFC 2595 §4. Octets behind the +OK were never protected: whoever sends them gets no further. */
function* startTls(talk: Talk): Dialogue<Result> {
  const result = yield* simple(talk, 'STLS')
  if (result.kind !== 'ok') return result
  if (talk.backlogOctets > 0) return { kind: 'broken', why: 'the server spoke before TLS' }
  yield* awaitTls()
  return result
}
