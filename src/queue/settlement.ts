/**
 * What one load came to, as the writer `settle` is given it: one result for each of its rows, and what is told of
 * them. Made by transport/settler.ts; settlement-crossing.ts brings it to the committer.
 */
import type { Delivery } from '../mailbox/deliver.ts'
import type { Acceptance } from './acceptance.ts'

/** What one recipient of a load came to. */
export interface Settled {
  readonly n: number
  readonly state: 'delivered' | 'relayed' | 'failed' | 'expired' | 'queued' | 'held' | 'deleted'
  readonly status: string
  readonly reason: string
  readonly remote: string | null
  /** Only for 'queued': when it is tried again. */
  readonly dueAt?: number
  /** Only for 'queued': the sender was warned in this settlement. */
  readonly warned?: boolean
  /** Nothing was tried, so that it counts as no attempt. */
  readonly untried?: boolean
  /** All of it was sent, and nobody said whether it was taken. */
  readonly doubt?: true
  /** Only for 'delivered': the mailbox row that is inserted by this very transaction. */
  readonly delivery?: Delivery
  /** What is kept of an attempt that went over a wire. */
  readonly attempt?: { readonly outcome: string; readonly dialogue: string | null }
}

export interface Settlement {
  readonly messageId: string
  readonly bodyKey: number
  readonly node: string
  readonly at: number
  readonly results: readonly Settled[]
  /** Notices about these results: queued by the same transaction, or not at all. */
  readonly notices: readonly Acceptance[]
  /** A notice of the same message that one of these takes the place of, as long as nobody has it in hand. */
  readonly withdraw?: Withdrawal
  /** A notice of the same message that rests, by its id: nothing more is to come, so that it may go. */
  readonly letGo?: string
  /** The operator ends what waits or is held: there is no lease. */
  readonly waiting?: true
}

export interface Withdrawal {
  readonly id: string
  readonly bodyKey: number
}

export interface SettlementDone {
  /** False where the lease had been lost: nothing was changed, nobody was told. */
  readonly held: boolean
  /** Staged bodies that nothing refers to any more; to be removed now. */
  readonly released: readonly string[]
}
