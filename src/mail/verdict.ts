/**
 * What policy says to a session's question. The kind follows from the code; text is what the peer
 * will read. `accept` may carry a text (the 250 after the dot names the queue id).
 */
import type { Recipient } from './envelope.ts'
import type { Detail } from './status.ts'

export type Verdict =
  | {
      readonly kind: 'accept'
      readonly text?: string
      /** To the end of a message: the detail of its status where that is not 0.0. */
      readonly detail?: Detail
      /** To MAIL alone: the transaction it names is gone on with. */
      readonly resume?: Resumption
    }
  /** Not now: 421 also closes the session. */
  | {
      readonly kind: 'defer'
      readonly code: DeferCode
      readonly detail: Detail
      readonly text: string
    }
  /** Never: 521 and 554 at the greeting close the session. */
  | {
      readonly kind: 'refuse'
      readonly code: RefuseCode
      readonly detail: Detail
      readonly text: string
    }

/** A transaction that broke off (RFC 1845 §3), as far as it had come. */
export interface Resumption {
  readonly recipients: readonly Recipient[]
  /** Octets of its content that are here, before dot-stuffing. */
  readonly octets: number
}

/** 453 is of RFC 2645 §5.2.1, 458 and 459 are of RFC 1985 §5.3. */
export type DeferCode = 421 | 450 | 451 | 452 | 453 | 454 | 455 | 458 | 459
export type RefuseCode = 502 | 504 | 521 | 530 | 535 | 538 | 550 | 551 | 552 | 553 | 554 | 555 | 556

const accepted: Verdict = { kind: 'accept' }

export function accept(text?: string): Verdict {
  return text === undefined ? accepted : { kind: 'accept', text }
}

export function defer(code: DeferCode, detail: Detail, text: string): Verdict {
  return { kind: 'defer', code, detail, text }
}

export function refuse(code: RefuseCode, detail: Detail, text: string): Verdict {
  return { kind: 'refuse', code, detail, text }
}
