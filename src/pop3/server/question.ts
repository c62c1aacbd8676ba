/**
 * Every question a POP3 session asks, on one page. This page is the policy surface of the room:
 * access/pop3.ts answers it from the mailboxes; an embedder may answer it from anything. The
 * session itself decides nothing but grammar and order (RFC 1939 §3).
 *
 * A method may answer at once or with a promise. A throw is answered by a temporary refusal.
 */
import type { Account, LoginAnswer, LoginQuestion } from '../../sasl/mechanism.ts'
import type { Endpoint, Source, TlsFacts } from '../../wire/effect.ts'

export type Later<T> = T | Promise<T>

/** The peer as it is known so far. */
export interface Peer {
  readonly remote: Endpoint
  readonly local: Endpoint
  readonly tls?: TlsFacts
  readonly account?: Account
}

/** What is in a maildrop, in message order. Arrays of numbers: a maildrop may hold 100,000s. */
export interface Listing {
  /** With a uid it makes the unique-id of UIDL (RFC 1939 §7): it never names another message. */
  readonly uidValidity: number
  readonly uids: ArrayLike<number>
  /** The octets RETR will send, before byte-stuffing (RFC 1939 §11). */
  readonly sizes: ArrayLike<number>
}

/** A no that is about us, not about the client (RFC 3206 §4): it lasts, or it does not. */
export interface Refused {
  readonly kind: 'refused'
  readonly code: 'SYS/TEMP' | 'SYS/PERM'
  readonly why: string
}

export type ConnectAnswer = { readonly kind: 'welcome' } | Refused
export type OpenAnswer =
  | { readonly kind: 'opened'; readonly listing: Listing }
  /** Another session holds the exclusive-access lock of RFC 1939 §4. */
  | { readonly kind: 'inUse' }
  /** Logged in too soon after the last time (RFC 2449 §6.5). */
  | { readonly kind: 'tooSoon' }
  | Refused
export type RetrieveAnswer =
  /** The whole message with CRLF line ends: the octets its size promised, but where its header was made ASCII. */
  | { readonly kind: 'content'; readonly sizeOctets: number; readonly content: Source }
  /** Somebody removed it by other means. */
  | { readonly kind: 'gone' }
  | Refused
export type CommitAnswer = { readonly kind: 'committed' } | Refused

export interface Policy {
  /** A connection stands; nothing is known but addresses. */
  connect(peer: Peer): Later<ConnectAnswer>
  /** USER and PASS (mechanism 'USER'), or what a SASL mechanism wants to know. */
  login(peer: Peer, question: LoginQuestion): Later<LoginAnswer>
  /** Locks and lists the account's maildrop; the lock is held until `commit` or `closed`. */
  open(peer: Peer, account: Account): Later<OpenAnswer>
  /** The content of one message of the maildrop opened; without UTF-8 in its header where `utf8` is not on. */
  retrieve(peer: Peer, uid: number, utf8: boolean): Later<RetrieveAnswer>
  /**
   * Removes these, if any, for good, and gives the lock back whatever comes of it (RFC 1939 §6).
   * Must answer `committed` only once that is durable.
   */
  commit(peer: Peer, uids: readonly number[]): Later<CommitAnswer>
  /** The connection is gone; called exactly once. */
  closed(): void
}

/** The questions as data, as they pass through the pump. */
export type Question =
  | { readonly kind: 'connect'; readonly peer: Peer }
  | { readonly kind: 'login'; readonly peer: Peer; readonly question: LoginQuestion }
  | { readonly kind: 'open'; readonly peer: Peer; readonly account: Account }
  | {
      readonly kind: 'retrieve'
      readonly peer: Peer
      readonly uid: number
      readonly utf8: boolean
    }
  | { readonly kind: 'commit'; readonly peer: Peer; readonly uids: readonly number[] }

/** The answer that belongs to each question. */
export interface Answers {
  readonly connect: ConnectAnswer
  readonly login: LoginAnswer
  readonly open: OpenAnswer
  readonly retrieve: RetrieveAnswer
  readonly commit: CommitAnswer
}

export type Answer = Answers[keyof Answers]

/** What a server session may be told. */
export type ServerEvent =
  | { readonly kind: 'shutdown' }
  /** Policy has had enough of the peer. */
  | { readonly kind: 'dismissed'; readonly why: string }

/** What a listener allows; given to a session when it is made. */
export interface SessionSettings {
  /** Our own name in the greeting. */
  readonly hostname: string
  /** Said in the greeting and as IMPLEMENTATION (RFC 2449 §6.9), such as 'Postrider'. */
  readonly implementation: string
  /** Whether STLS is offered on a connection in the clear (RFC 2595 §4). */
  readonly startTls: boolean
  /** True takes passwords without TLS too. Never so on a public address (RFC 8314 §4). */
  readonly plaintextAuth: boolean
  /** Names of SASL mechanisms offered, in order; those with plaintext as `plaintextAuth` says. */
  readonly mechanisms: readonly string[]
  /** Whether APOP is on (RFC 1939 §7). */
  readonly apop?: boolean
  /** From the greeting to a login, in ms: commands do not renew it. */
  readonly loginTimeoutMs: number
  /** The autologout timer of RFC 1939 §3, in ms: at least ten minutes. */
  readonly idleTimeoutMs: number
  /** Consecutive -ERR replies before the connection is closed. */
  readonly errorsMax: number
  /** Failed logins before the connection is closed. */
  readonly loginFailuresMax: number
  /** For SASL nonces. */
  readonly chance: (octets: number) => Uint8Array
}
