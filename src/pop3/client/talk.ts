/** What an order sees of the client's session, and what it may wait for. The mirror of server/turn. */

import { unanswered } from '../../sasl/exchange.ts'
import type { TlsFacts } from '../../wire/effect.ts'
import type { AsideAnswer, AsideStep } from '../../world/aside.ts'
import type { ClientAnswer, ClientQuestion, ClientSettings, Order, Result } from './question.ts'

export interface Talk {
  readonly settings: ClientSettings
  /** Present once TLS is on. */
  readonly tls: TlsFacts | undefined
  readonly backlogOctets: number
  /** Sends a line. */
  say(line: string): void
}

export type Wait =
  | { readonly kind: 'line' }
  | { readonly kind: 'content' }
  | { readonly kind: 'tls' }
  | { readonly kind: 'asked'; readonly question: ClientQuestion }

/** What a wait is resumed with: each kind has its own. */
export type Came =
  /** Without its end; undefined is one over the limit. */
  | { readonly kind: 'line'; readonly text: string | undefined }
  | { readonly kind: 'content'; readonly sizeOctets: number }
  | { readonly kind: 'tls' }
  | { readonly kind: 'asked'; readonly answer: ClientAnswer }

export type Dialogue<T> = Generator<Wait, T, Came>

export function* awaitLine(): Dialogue<string | undefined> {
  const came = yield { kind: 'line' }
  return came.kind === 'line' ? came.text : undefined
}

/** Content up to CRLF.CRLF has gone to the sink; its octets, dots taken off. */
export function* awaitContent(): Dialogue<number> {
  const came = yield { kind: 'content' }
  return came.kind === 'content' ? came.sizeOctets : 0
}

export function* awaitTls(): Dialogue<void> {
  yield { kind: 'tls' }
}

/** Says what became of the last order and waits for the next. */
export function* awaitOrder(result: Result): Dialogue<Order> {
  const came = yield { kind: 'asked', question: { kind: 'next', result } }
  return came.kind === 'asked' && came.answer.kind !== 'aside' ? came.answer : { kind: 'quit' }
}

/** A step of a login that the session does not do. */
export function* awaitAside(step: AsideStep): Dialogue<AsideAnswer> {
  const came = yield { kind: 'asked', question: { kind: 'aside', step } }
  return came.kind === 'asked' && came.answer.kind === 'aside' ? came.answer.answer : unanswered
}
