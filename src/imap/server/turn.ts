/**
 * What a command is given and what it may wait for. A command is a generator that reads as its section of
 * the RFC does: parse, ask, answer. It waits by the functions at the end of this file; it never sees a
 * socket, a promise or another session. Text on the wire is one character an octet (latin1).
 */
import type { Account } from '../../sasl/mechanism.ts'
import type { Source } from '../../wire/effect.ts'
import type { Announced, Cursor } from '../cursor.ts'
import type { Context } from './context.ts'
import type { Answer, Answers, No, Peer, Question, SessionSettings } from './question.ts'
import type { State } from './state.ts'
import type { View } from './view.ts'
import type { Watched } from './watched.ts'

/** The tagged end of a command (RFC 9051 §7.1). */
export interface Result {
  readonly kind: 'OK' | 'NO' | 'BAD'
  /** A response code without its brackets. */
  readonly code?: string
  readonly text: string
}

/** What ENABLE (RFC 5161) has switched on. */
export interface Enabled {
  imap4rev2: boolean
  /** UTF-8 stands in names and strings: IMAP4rev2 or UTF8=ACCEPT. */
  utf8: boolean
  utf8Accept: boolean
  condstore: boolean
  qresync: boolean
  /** No sequence number is said or heard any more (RFC 9586). */
  uidOnly: boolean
}

/** How FETCH is told where nobody asked for it: with what else the dialect has in it. */
export function fetchManner({ enabled, watched }: Pick<Turn, 'enabled' | 'watched'>) {
  const { imap4rev2, condstore, qresync, uidOnly } = enabled
  const modSeq = condstore || qresync
  // RFC 9051 §7.5.2, RFC 7162 §3.2.4, RFC 5465 §5.1: each of them wants the UID.
  return { modSeq, uid: modSeq || imap4rev2 || watched !== undefined, qresync, uidOnly }
}

/** How a connection begins. */
export function nothingEnabled(): Enabled {
  return {
    imap4rev2: false,
    utf8: false,
    utf8Accept: false,
    condstore: false,
    qresync: false,
    uidOnly: false,
  }
}

/** What a command sees of its session. */
export interface Turn {
  readonly settings: SessionSettings
  enabled: Enabled
  /** Of the command that runs. */
  readonly tag: string
  peer: Peer
  state: State
  /** The open mailbox, in state 'selected'. */
  view: View | undefined
  /** Searches that are kept up to date (RFC 5267). */
  contexts: readonly Context[]
  /** What NOTIFY has asked to be told of (RFC 5465). */
  watched: Watched | undefined
  /** The result of the last SEARCH with SAVE (RFC 5182). */
  saved: readonly number[]
  /** Sends text or octets as they are; CRLF is the caller's. */
  send(output: string | Uint8Array): void
  /** Streams octets behind what was sent: a literal whose size was told. */
  stream(source: Source): void
  /** Octets of output wait: time to `yield* output()`. */
  readonly full: boolean
  /** Throws away what came behind the command, and starts TLS once the answer has left. */
  secure(): void
  /** Both sides compress once the answer has left (RFC 4978); false where that is on already. */
  compress(): boolean
  readonly compression: 'off' | 'begins' | 'on'
  /** Switches CONDSTORE on (RFC 7162 §3.1): by ENABLE, or by a command that speaks of mod-sequences. */
  condstore(): void
  /** A login came to nothing: counted, and after too many the connection closes. */
  denied(): void
}

/** A line of the client: in a SASL exchange, of IDLE, or what follows a streamed literal. */
export interface Line {
  readonly kind: 'line'
  readonly text: string
  /** What its end announces. */
  readonly literal?: Announced
}

/** A line that was too long to be kept; what its end announces follows all the same. */
export interface Overlong {
  readonly kind: 'overlong'
  readonly literal?: Announced
}

export type Step =
  | { readonly kind: 'ask'; readonly question: Question }
  | { readonly kind: 'line' }
  /** A line, or something happened in the mailbox. */
  | { readonly kind: 'line or change' }
  /** So many octets go to the role as content. */
  | { readonly kind: 'content'; readonly sizeOctets: number; readonly swallow: boolean }
  /** All that was sent has left. */
  | { readonly kind: 'output' }

export type Input =
  | Answer
  | Line
  | Overlong
  | { readonly kind: 'changed' }
  /** The octets of a literal have come. */
  | { readonly kind: 'content'; readonly nul: boolean }
  | undefined

export type Running<T> = Generator<Step, T, Input>

/** A command: its arguments are behind the cursor. */
export type Command = (turn: Turn, cursor: Cursor) => Running<Result>

/** Asks policy. */
export function* ask<K extends Question['kind']>(
  question: Extract<Question, { readonly kind: K }>,
): Running<Answers[K]> {
  // The session resumes an 'ask' only with the answer to it, and the page of questions pairs them.
  return (yield { kind: 'ask', question }) as Answers[K]
}

export function* line(): Running<Line | Overlong> {
  return (yield { kind: 'line' }) as Line | Overlong
}

export function* lineOrChange(): Running<Line | Overlong | { readonly kind: 'changed' }> {
  return (yield { kind: 'line or change' }) as Line | Overlong | { readonly kind: 'changed' }
}

/** Waits for the octets of a literal; `swallow` throws them away. Gives whether a NUL was among them. */
export function* content(sizeOctets: number, swallow = false): Running<boolean> {
  if (sizeOctets === 0) return false
  const come = yield { kind: 'content', sizeOctets, swallow }
  return come?.kind === 'content' && come.nul
}

/** What is announced without asking is read to its end up to this; behind it we hang up. */
const SWALLOW_MAX_OCTETS = 256 * 1_048_576

/** What a client sends unasked behind a line that was refused is read, so that nothing of it is a command (RFC 7888 §4). */
export function* readAway(turn: Turn, literal: Announced | undefined): Running<void> {
  let coming = literal
  while (coming !== undefined && !coming.waits) {
    if (coming.sizeOctets > SWALLOW_MAX_OCTETS) {
      turn.send('* BYE the literal is too large\r\n')
      turn.state = 'logout'
      return
    }
    yield* content(coming.sizeOctets, true)
    coming = (yield* line()).literal
  }
}

/** Waits until what was sent has left. */
export function* output(): Running<void> {
  yield { kind: 'output' }
}

export function ok(text: string, code?: string): Result {
  return code === undefined ? { kind: 'OK', text } : { kind: 'OK', code, text }
}

export function no(text: string, code?: string): Result {
  return code === undefined ? { kind: 'NO', text } : { kind: 'NO', code, text }
}

export function bad(text: string, code?: string): Result {
  return code === undefined ? { kind: 'BAD', text } : { kind: 'BAD', code, text }
}

/** The NO of policy. */
export function refused({ why, code }: No): Result {
  return no(why, code)
}

/** Who is logged in; commands that ask this are legal only then. */
export function accountOf(turn: Turn): Account {
  const { account } = turn.peer
  if (account === undefined) throw new Error('no account in an authenticated state')
  return account
}

/** The open mailbox; commands that ask this are legal only in state 'selected'. */
export function viewOf(turn: Turn): View {
  if (turn.view === undefined) throw new Error('no mailbox in state selected')
  return turn.view
}

/** Text of ours or of policy as it may stand in an answer: no octet of it ends the line. */
export function printable(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
  return safe.startsWith('[') ? ` ${safe}` : safe === '' ? '.' : safe
}
