/** What operations about the queue give of messages and recipients: a part of operation.ts, which gives it on. */
import type { CarriedSender } from '../mail/carried.ts'
import type { ShownState } from '../queue/query.ts'

/** States of a recipient as they are shown (queue/state.ts); those after 'held' are final. */
export type RecipientState = ShownState

/** One recipient of one message, as a list shows it. */
export interface QueueItem {
  readonly message: string
  readonly n: number
  /** '' is the null reverse-path. */
  readonly sender: string
  readonly address: string
  readonly state: RecipientState
  readonly receivedAt: number
  /** queued, deferred, doubt: the next attempt; leased: the end of the lease. */
  readonly dueAt: number
  readonly attempts: number
  readonly sizeOctets: number
  /** Last RFC 3463 code. */
  readonly status?: string
  readonly reason?: string
  readonly remote?: string
  /** Where it is not 0. */
  readonly priority?: number
  /** How often all of it was sent without a word whether it was taken: a copy may be there. */
  readonly doubts?: number
  /** The way that an operator has set for it. */
  readonly via?: string
}

/** What an attempt came to; the dialogue only where it failed or was deferred. */
export interface AttemptRecord {
  readonly n: number
  readonly at: number
  readonly outcome: 'delivered' | 'deferred' | 'failed' | 'in doubt'
  readonly status: string
  readonly remote?: string
  readonly reason: string
  readonly dialogue?: string
}

/** A message with all its recipients and what was tried for them. */
export interface MessageRecord {
  readonly message: string
  readonly sender: string
  readonly origin: 'mx' | 'submission' | 'local' | 'notice'
  readonly peer: string
  readonly receivedAt: number
  readonly sizeOctets: number
  readonly envelopeId?: string
  /** The address of the account that submitted it. */
  readonly account?: string
  /** What the rules of `rewrite` changed: the reverse-path it came with, and fields of its header. */
  readonly rewritten?: CarriedSender['rewritten']
  readonly settledAt?: number
  readonly recipients: readonly (QueueItem & {
    /** The address that was accepted, where an alias was expanded. */
    readonly aliasOf?: string
    /** The address that was written, where that is another: before rewriting, or as ORCPT says. */
    readonly namedAs?: string
    readonly settledAt?: number
    /** What happens next, in words. */
    readonly next: string
    /** Which way it would go now, and what of the config says so; only in `queue.show`. */
    readonly route?: string
    /** When it is given up, where it waits. */
    readonly expiresAt?: number
  })[]
  readonly attempts: readonly AttemptRecord[]
}

/** Why a recipient is where it is, and what happens next, in a sentence each. */
export interface Explanation {
  readonly message: string
  readonly address: string
  readonly state: RecipientState
  readonly why: string
  readonly next: string
  readonly dueAt?: number
  readonly expiresAt?: number
  readonly attempts: readonly AttemptRecord[]
}
