/**
 * The question of a POP3 client session: what next? (And in a login, for steps that the session does not do.) It is asked with the result of the order
 * before; the answer is the next order. access/pop3-fetch.ts answers it with a script; so may anyone.
 */

import type { Credentials } from '../../sasl/mechanism.ts'
import type { AsideAnswer, AsideStep } from '../../world/aside.ts'

/** What a client may be told to do. Each is one command of RFC 1939, but for 'login'. */
export type Order =
  /** RFC 2449 §5. */
  | { readonly kind: 'capabilities' }
  /** RFC 2595 §4. */
  | { readonly kind: 'startTls' }
  /** USER and PASS where `mechanisms` is empty, else AUTH by the strongest that both sides know. */
  | {
      readonly kind: 'login'
      readonly credentials: Credentials
      readonly mechanisms: readonly string[]
    }
  | { readonly kind: 'stat' }
  | { readonly kind: 'list' }
  | { readonly kind: 'uidl' }
  /** Content goes to the role's `content`, dot-unstuffed. */
  | { readonly kind: 'retrieve'; readonly number: number }
  | { readonly kind: 'top'; readonly number: number; readonly lines: number }
  | { readonly kind: 'delete'; readonly number: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'noop' }
  | { readonly kind: 'quit' }

export type Result =
  /** +OK of the greeting and of every command of one line. */
  | { readonly kind: 'ok'; readonly text: string }
  /** -ERR, with the response code of RFC 2449 §8 if it has one. */
  | { readonly kind: 'refused'; readonly text: string; readonly code?: string }
  | { readonly kind: 'stat'; readonly count: number; readonly octets: number }
  | { readonly kind: 'capabilities'; readonly lines: readonly string[] }
  /** Message numbers, and their sizes (LIST) or unique-ids (UIDL). */
  | { readonly kind: 'listing'; readonly entries: readonly (readonly [number, string])[] }
  /** A message came, whole: so many octets. */
  | { readonly kind: 'content'; readonly sizeOctets: number }
  /** The server, or the connection, broke the protocol: nothing more can be ordered. */
  | { readonly kind: 'broken'; readonly why: string }

export type ClientQuestion =
  | { readonly kind: 'next'; readonly result: Result }
  /** A step of the login that we do not do; answered by 'aside'. */
  | { readonly kind: 'aside'; readonly step: AsideStep }

export type ClientAnswer = Order | { readonly kind: 'aside'; readonly answer: AsideAnswer }

export interface ClientSettings {
  /** True lets passwords cross a connection in the clear. */
  readonly plaintextAuth: boolean
  /** The server's name, for mechanisms that say it. */
  readonly hostname?: string
  /** How long the server may take for each step, in ms. */
  readonly replyTimeoutMs: number
  /** For SASL nonces. */
  readonly chance: (octets: number) => Uint8Array
}
