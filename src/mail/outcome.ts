/**
 * What became of one recipient in one attempt. Transports speak outcomes, the queue keeps them,
 * notices (RFC 3464) are printed from them.
 */
import type { Reply } from './status.ts'

export type Outcome = {
  /** RFC 3463 code with its class: '2.0.0', '4.4.1', '5.1.1'. */
  readonly status: string
  /** One line a human can read: what happened, where. */
  readonly reason: string
  /** The next hop that was spoken to, if any: its name. */
  readonly host?: string
  /** Its address. */
  readonly address?: string
  /** What is no host: a program or a file, such as `pipe:/usr/bin/uux`. */
  readonly place?: string
  /** Its reply, where the outcome is one (Diagnostic-Code: smtp). */
  readonly reply?: Reply
} & (
  | {
      readonly kind: 'delivered'
      /** 'mailbox': final delivery, here or by LMTP; 'relayed': handed on; `dsn` says whether the hop does DSN. */
      readonly how: 'mailbox' | 'relayed'
      readonly dsn?: boolean
      /** Whether it does DELIVERBY. */
      readonly deliverBy?: boolean
      /** Whether it does MTRK. */
      readonly tracked?: boolean
    }
  /** Not this time. `in doubt` marks a final dot sent whose reply never came. */
  | {
      readonly kind: 'deferred'
      readonly inDoubt?: boolean
      /** In doubt, but the hop knows the transaction by its name (RFC 1845): to ask again makes no copy. */
      readonly named?: true
      /** Too many recipients were named with it; a further transaction may take it at once. */
      readonly tooMany?: boolean
      /** Nothing was tried: it is kept until its customer asks for it. */
      readonly kept?: true
      /** Nothing was tried: its destination is known to be down. It counts as no attempt. */
      readonly untried?: true
    }
  | {
      readonly kind: 'failed'
      /** Given up, by age or by the operator. */
      readonly expired?: true
    }
  /** A rule of ours keeps it until the operator lets it go. */
  | { readonly kind: 'held' }
  /** A rule of ours has taken it to nowhere. */
  | { readonly kind: 'discarded' }
)
