/**
 * Every question an MTQP session asks (RFC 3887): the policy surface of the room. access/mtqp.ts answers it
 * from the ledger. The session itself decides nothing but grammar and order.
 */
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'

export type Later<T> = T | Promise<T>

/** The peer as it is known so far. */
export interface Peer {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly tls?: TlsFacts
}

export type ConnectAnswer =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'refused'; readonly why: string }

export type TrackAnswer =
  /** A whole MIME part, header and all: multipart/related of message/tracking-status (RFC 3886). */
  | { readonly kind: 'found'; readonly part: Uint8Array }
  /** Not seen here, or not his: nobody can tell which. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface Policy {
  connect(peer: Peer): Later<ConnectAnswer>
  /** What became of the message; `secret` is to be proven (RFC 3885 §3). */
  track(peer: Peer, envelopeId: string, secret: Uint8Array): Later<TrackAnswer>
  /** The connection is gone; called exactly once. */
  closed(): void
}

export type Question =
  | { readonly kind: 'connect'; readonly peer: Peer }
  | {
      readonly kind: 'track'
      readonly peer: Peer
      readonly envelopeId: string
      readonly secret: Uint8Array
    }

export type Answer = ConnectAnswer | TrackAnswer

/** What a server session may be told. */
export type ServerEvent =
  | { readonly kind: 'shutdown' }
  /** Policy has had enough of the peer. */
  | { readonly kind: 'dismissed'; readonly why: string }

export interface SessionSettings {
  /** Our own name in the greeting. */
  readonly hostname: string
  /** Whether STARTTLS is offered. */
  readonly startTls: boolean
  /** Whether our certificate is good for a name (§6). */
  readonly isOurs: (domain: string) => boolean
  /** The inactivity timer, in ms: at least ten minutes (§2.5). */
  readonly idleTimeoutMs: number
  /** Bad commands and unproven questions before the connection is closed (§2.5). */
  readonly errorsMax: number
}
