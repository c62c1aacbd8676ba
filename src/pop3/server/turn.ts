/**
 * What a verb is given and what it may wait for. A verb is a generator that reads as its section of
 * the RFC does: parse, ask, reply. It waits for policy by `yield* ask(...)` and, inside AUTH, for a
 * line of the client by `yield* line()`; it never sees a socket, a promise or another session.
 */
import type { Source } from '../../wire/effect.ts'
import type { Maildrop } from './maildrop.ts'
import type { Answer, Answers, Peer, Question, SessionSettings } from './question.ts'
import type { State } from './state.ts'

/** What a verb sees of its session. */
export interface Turn {
  readonly settings: SessionSettings
  readonly peer: Peer
  readonly state: State
  /** The name USER gave, until the next command has been answered (RFC 1939 §7, PASS). */
  user: string | undefined
  /** What is sent may hold UTF-8 in its header (RFC 6856 §2.1). */
  utf8: boolean
  /** What the greeting said for APOP, where that is on. */
  readonly timestamp: string | undefined
  /** The maildrop, in TRANSACTION and UPDATE. */
  readonly maildrop: Maildrop
  send(output: string | Uint8Array): void
  /** Streams behind what was sent; the next command waits until all of it has left. */
  stream(source: Source): void
  /** Streams a message: dot-stuffed, with the terminator behind it. */
  stuff(content: Source): void
  /** Sends an -ERR reply; false, for `return turn.refuse(...)`. */
  refuse(reply: string): false
  /** A login came to nothing: counted, and after too many the connection closes. */
  denied(reply: string): false
  /** A login succeeded and its maildrop is open. */
  enter(peer: Peer, maildrop: Maildrop): void
  /** Throws away what came behind the command, and starts TLS once the reply has left. */
  secure(): void
}

/** A line of the client within a SASL exchange, one character an octet; or one over the limit. */
export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'overlong' }

export type Step = { readonly kind: 'ask'; readonly question: Question } | { readonly kind: 'line' }

/** What a step is resumed with. */
export type Input = Answer | Line

/** Returns whether it succeeded: then the session goes where `legality` says. */
export type Verb = (turn: Turn, argument: string) => Generator<Step, boolean, Input>

/** Asks policy. */
export function* ask<K extends Question['kind']>(
  question: Extract<Question, { readonly kind: K }>,
): Generator<Step, Answers[K], Input> {
  // The session resumes an 'ask' only with the answer to it, and the page of questions pairs them.
  return (yield { kind: 'ask', question }) as Answers[K]
}

/** Waits for a line of the client. */
export function* line(): Generator<Step, Line, Input> {
  return (yield { kind: 'line' }) as Line
}
