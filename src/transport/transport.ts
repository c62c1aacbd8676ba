/**
 * The contract of every transport: it carries one load to one route and says what became of each
 * recipient. It knows no queue; transport/worker.ts claims, routes, carries and settles.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Forwarded } from '../mail/forwarded.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Reply } from '../mail/status.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import type { Route } from '../route/route.ts'
import type { Reach, Wait } from '../shape/gates.ts'
import type { Lent, Source } from '../wire/effect.ts'

/** One message on its way to some of its recipients. */
export interface Load {
  /** The message's id, for logs and traces. */
  readonly id: string
  /** The sender, and those recipients this load is for, in the order outcomes are given. */
  readonly envelope: Envelope
  /** Octets that `content` yields. */
  readonly sizeOctets: number
  /** What we put in front of the body; `content` begins with it. */
  readonly head: Uint8Array
  /** The shared body's key in the store. */
  readonly bodyKey: number
  /** The message as it is to be sent, CRLF line ends; may be called again for a further host. */
  content(): Source
  /** The same octets where they are in memory, and may stay there until they have left. */
  readonly lent?: Lent
  /** The domain of all recipients, where that is told apart (shape/limits.ts). */
  readonly domain?: string
  /** Who sends it, by account or reverse-path: places are given to senders in turn. */
  readonly from?: string
  /** How the message came to us ('mx', 'submission', 'local', 'notice'). */
  readonly origin?: string
  /** Whom it came from, where the route is to be told (XFORWARD). */
  readonly forwarded?: Forwarded
  /** Whether its lease may have ended, so that another node may carry it: then nobody is to get it from us. */
  readonly lapsed?: () => boolean
}

export interface Carried {
  /** One for each recipient of the load, in order. */
  readonly outcomes: readonly Outcome[]
  /** Mailbox rows that the settling transaction is to insert, one place for each recipient. */
  readonly deliveries?: readonly (Delivery | undefined)[]
  /** What was said, secrets redacted, for failures and deferrals. */
  readonly dialogue?: string
  /** What the attempt has shown of the destination itself. */
  readonly reach?: Reach
  /** What hosts said with which they turned us away, or ended a session; the outcomes may be good all the same. */
  readonly partings?: readonly Reply[]
  /** Set where nothing was tried: the load waits in this lane. */
  readonly waits?: Wait
  /** Set where nobody was spoken to when all was recalled: the load goes back as it came. */
  readonly recalled?: true
}

export interface Transport {
  /** Never rejects: whatever goes wrong is an outcome. */
  carry(load: Load, route: Route): Promise<Carried>
  /** Nothing more begins: what still waits for an address or a connection comes back as it went. */
  recall?(): void
  /** Says goodbye on idle connections; loads under way are finished. */
  close(): Promise<void>
}
