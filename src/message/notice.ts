/**
 * What a delivery status notification is made from, and what it is once made (RFC 3461, RFC 3464).
 *
 * The nouns that message/dsn.ts and its three parts share; the queue fills them in.
 */
import type { Address } from '../mail/address.ts'
import type { BodyKind } from '../mail/envelope.ts'
import type { Reply } from '../mail/status.ts'
import type { NoticeTexts } from './notice-text.ts'

/** RFC 3464 §2.3.3. */
export type Action = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** What is told about one recipient. */
export interface NoticeRecipient {
  readonly address: Address
  /** ORCPT, decoded (RFC 3461 §4.2). */
  readonly originalRecipient?: { readonly type: string; readonly address: string }
  readonly action: Action
  /** RFC 3463, with its class. */
  readonly status: string
  /** One line for people: what happened. */
  readonly reason: string
  /** The host that was spoken to, by name or else by address. */
  readonly remote?: { readonly name?: string; readonly address?: string }
  /** What it said, where the outcome is its reply. */
  readonly reply?: Reply
  readonly lastAttemptMs?: number
  /** Until when it is tried again, for 'delayed'. */
  readonly retryUntilMs?: number
}

/** Everything a notice is made from. */
export interface NoticeFacts {
  /** Our own name: Reporting-MTA, and the host of postmaster. */
  readonly hostname: string
  readonly timeMs: number
  /** Random and unique: Message-ID and boundary. */
  readonly id: string
  /** The reverse-path of the message: who gets the notice. */
  readonly sender: Address
  readonly recipients: readonly NoticeRecipient[]
  readonly arrivalMs: number
  /** BY=, as the time it means here (RFC 2852 §5). */
  readonly deliverByMs?: number
  /** HOLDFOR= or HOLDUNTIL= as it was asked: `for;3600`, `until;...` (RFC 4865 §5.1.2). */
  readonly futureRelease?: string
  /** ENVID=, decoded. */
  readonly envelopeId?: string
  /** RET=; where it is left out, what failed comes back whole if it is small. */
  readonly ret?: 'FULL' | 'HDRS'
  readonly original: Original
  /** A larger original comes back as its header only. */
  readonly fullMaxBytes?: number
  /** The operator's words; absent: ours. */
  readonly texts?: NoticeTexts
  /** The original is a notice of ours, and this goes to the postmaster. */
  readonly undeliverable?: true
}

export interface Original {
  /** The octets of the message from its start: at least its header; all of it, to return all. */
  readonly prefix: Uint8Array
  readonly sizeOctets: number
  readonly body: BodyKind
  /** It came with SMTPUTF8. */
  readonly utf8: boolean
  /** Our stable id of it, shown as Final-Log-Id. */
  readonly logId?: string
}

export interface Notice {
  /** CRLF lines of at most 998 octets. */
  readonly octets: Uint8Array
  /** For its envelope. */
  readonly body: '7BIT' | '8BITMIME'
  readonly utf8: boolean
}
