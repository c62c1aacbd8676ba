/**
 * Every question an SMTP session asks, on one page. This page is the policy surface, the hook
 * system and the embedding API at once: the MX role, the submission role and a user's own hooks
 * all answer it. The session itself decides nothing but grammar and order (RFC 5321 §4.1.4).
 *
 * A method may answer at once or with a promise. A throw is answered `451 4.3.0` for it.
 */
import type { Envelope, Recipient, Sender } from '../../mail/envelope.ts'
import type { Forwarded } from '../../mail/forwarded.ts'
import type { Verdict } from '../../mail/verdict.ts'
import type { Account, LoginAnswer, LoginQuestion } from '../../sasl/mechanism.ts'
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'
import type { Network } from '../../wire/network.ts'
import type { Keyword, Service } from '../extension/extension.ts'

export type Later<T> = T | Promise<T>

/** The peer as it is known so far. */
export interface Peer {
  readonly remote: Endpoint
  readonly local: Endpoint
  /** What it called itself; '' before HELO or EHLO. */
  readonly hello: string
  /** True after EHLO or LHLO. */
  readonly extended: boolean
  readonly tls?: TlsFacts
  readonly account?: Account
  /** Its host name, where a trusted peer has told it (XCLIENT). */
  readonly name?: string
  /** Whom the message of this transaction came from, where a trusted peer has told it (XFORWARD). */
  readonly forwarded?: Forwarded
}

/** What ETRN names. */
export interface Node {
  /** 'subdomains': the domain and all below it (`@`); 'queue': a name of the site's own (`#`). */
  readonly kind: 'domain' | 'subdomains' | 'queue'
  /** Without its option character; a domain in lower case. */
  readonly name: string
  /** As it was written, for the reply. */
  readonly text: string
}

/** What ETRN comes to: how much waits, and whether it was being sent already; or a verdict. */
export type StartAnswer =
  | { readonly kind: 'pending'; readonly messages: number; readonly underWay: boolean }
  | Verdict

/** What BURL names, and how many octets the message may still have. */
export interface Including {
  readonly peer: Peer
  readonly envelope: Envelope
  readonly url: string
  readonly roomOctets?: number
}

/** What BURL comes to: octets that are now part of the message; or a verdict, which ends the message. */
export type IncludeAnswer = { readonly kind: 'included'; readonly sizeOctets: number } | Verdict

export interface Policy {
  /** A connection stands; nothing is known but addresses. Refused: 554 or 421 in place of 220 (§3.1). */
  connect(peer: Peer): Later<Verdict>
  /** HELO, EHLO or LHLO with a well-formed argument. */
  hello(peer: Peer): Later<Verdict>
  /** What a SASL mechanism wants to know. */
  login(peer: Peer, question: LoginQuestion): Later<LoginAnswer>
  /** MAIL, syntactically right, in the right state. May go on with what broke off (RFC 1845). */
  mail(peer: Peer, sender: Sender): Later<Verdict>
  /**
   * One or more RCPTs that arrived together. One verdict each, in order. `envelope` has the
   * recipients taken before.
   */
  rcpts(peer: Peer, envelope: Envelope, recipients: readonly Recipient[]): Later<readonly Verdict[]>
  /** DATA, or the first BDAT: may content follow? After acceptance `content` is called. */
  data(peer: Peer, envelope: Envelope): Later<Verdict>
  /** Content octets[from, to), dot-unstuffed; a promise asks the pump to stop reading for a while. */
  content(octets: Uint8Array, from: number, to: number): Promise<void> | undefined
  /**
   * The message is complete. Must answer `accept` only once it is durable (RFC 5321 §6.1).
   * For LMTP one verdict for each accepted recipient (RFC 2033 §4.2), else a single one.
   * @param plain its content was seen to be 7bit or 8bit data (RFC 2045 §2.7, §2.8) with no line that begins with a dot
   */
  accept(
    peer: Peer,
    envelope: Envelope,
    sizeOctets: number,
    plain: boolean,
  ): Later<readonly Verdict[]>
  /**
   * BURL (RFC 4468), after `data`: takes in what the URL names as the next octets of the message, as if they had
   * come by `content`. More than `roomOctets` is refused. Absent: nothing is fetched.
   */
  include?(asked: Including): Later<IncludeAnswer>
  /**
   * The transaction was given up (RSET, EHLO, STARTTLS, refused content): forget its content. Where it was
   * `interrupted` the peer has gone or fallen silent, and may come back to it.
   */
  abandon(interrupted: boolean): void
  /** VRFY (§3.5): lines of a 250/251/252 reply, or a refusal. */
  verify(peer: Peer, text: string): Later<Verdict>
  /** EXPN (§3.5). */
  expand(peer: Peer, text: string): Later<Verdict>
  /** ETRN (RFC 1985): start what waits for a node. Plain acceptance says no more than 250. */
  start(peer: Peer, node: Node): Later<StartAnswer>
  /**
   * ATRN (RFC 2645) and TURN: may the roles change on this connection? No domains are all that are his.
   * After acceptance the connection is handed over (world/pump.ts), or closed.
   */
  exchange(peer: Peer, verb: 'ATRN' | 'TURN', domains: readonly string[]): Later<Verdict>
  /** The connection is gone; called exactly once, after any `abandon`. */
  closed(): void
}

/** What a listener allows; given to a session when it is made. */
export interface SessionSettings {
  /** Our own name in the greeting and in replies. */
  readonly hostname: string
  readonly protocol: 'smtp' | 'lmtp'
  /** Text after the name in the 220 greeting, such as 'Postrider'. */
  readonly banner: string
  /** SIZE (RFC 1870) and the limit in octets; enforced while content arrives too. */
  readonly sizeMaxBytes: number
  /** RFC 5321 §4.5.3.1.8 demands at least 100. */
  readonly recipientsMax: number
  /** Different domains among the recipients of one session (RFC 9422); 0 is no limit. */
  readonly recipientDomainsMax: number
  /** What becomes of a recipient with a source route before it; absent: the route is left out. */
  readonly sourceRoutes?: 'ignore' | 'refuse'
  /** CR and LF alone in content: 'refuse' on MX, 'normalize' on submission. */
  readonly bareLineEnds: 'refuse' | 'normalize'
  /** Whether STARTTLS is offered. */
  readonly startTls: boolean
  /** Whether a password may come in the clear: for a proxy that ends TLS. Absent: it may not. */
  readonly plaintextAuth?: boolean
  /** Names of mechanisms offered, in order; those with plaintext as `plaintextAuth` says. */
  readonly mechanisms: readonly string[]
  /** True on submission: MAIL before AUTH is 530 5.7.0 (RFC 6409 §4.3, RFC 4954 §6). */
  readonly requireAuth: boolean
  /** What the listener is for: some extensions are on by default only where it makes sense. */
  readonly service: Service
  /** Extensions switched on by keyword, such as 'EXPN', that are off by default. */
  readonly with: readonly Keyword[]
  /** Extensions switched off by keyword, such as 'CHUNKING'. */
  readonly without: readonly Keyword[]
  /** Networks of the peers that may say XCLIENT and XFORWARD. */
  readonly xclientFrom: readonly Network[]
  readonly xforwardFrom: readonly Network[]
  /** Errors (5xx replies) in one session before 421 4.7.0 closes it. */
  readonly errorsMax: number
  /** Failed logins before 421 4.7.0 closes it; absent or 0: errors alone count. */
  readonly loginFailuresMax?: number
  /** So much content must come within `dataTimeoutMs`. Default 16384. */
  readonly contentStepOctets?: number
  /** Transactions in one session before 421. */
  readonly transactionsMax: number
  /** Minutes of RFC 5321 §4.5.3.2, in ms. */
  readonly commandTimeoutMs: number
  readonly dataTimeoutMs: number
  /** The least seconds that BY with R may ask for (RFC 2852 §2); 0 is no limit. */
  readonly deliverByMinS: number
  /** Classes of solicitation that are not wanted here (RFC 3865). */
  readonly unwanted: readonly string[]
  /** The most that MT-PRIORITY may ask for here (RFC 6710 §4.1): 0 for strangers. */
  readonly priorityMax: number
  /** The name of the policy by which priorities are given (§3 (3)), where it is told. */
  readonly priorityPolicy?: string
  /** How many seconds a submitted message may be held (RFC 4865 §3); 0: not at all. */
  readonly holdMaxS: number
  /** For SASL nonces. */
  readonly chance: (octets: number) => Uint8Array
  /** Ms since the epoch: looked at only where a parameter or an EHLO line speaks of time. */
  readonly now: () => number
}

/** What a server session may be told. */
export type ServerEvent =
  /** @param last nobody waits for a transaction any longer */
  | { readonly kind: 'shutdown'; readonly last?: true }
  /** Policy has had enough of the peer (421 4.7.0). */
  | { readonly kind: 'dismissed'; readonly why: string }

/** The questions as data, as they pass through the pump. */
export type Question =
  | { readonly kind: 'connect'; readonly peer: Peer }
  | { readonly kind: 'hello'; readonly peer: Peer }
  | { readonly kind: 'login'; readonly peer: Peer; readonly question: LoginQuestion }
  | { readonly kind: 'mail'; readonly peer: Peer; readonly sender: Sender }
  | {
      readonly kind: 'rcpts'
      readonly peer: Peer
      readonly envelope: Envelope
      readonly recipients: readonly Recipient[]
    }
  | { readonly kind: 'data'; readonly peer: Peer; readonly envelope: Envelope }
  | {
      readonly kind: 'accept'
      readonly peer: Peer
      readonly envelope: Envelope
      readonly sizeOctets: number
      readonly plain: boolean
    }
  | ({ readonly kind: 'include' } & Including)
  | { readonly kind: 'abandon'; readonly interrupted: boolean }
  | { readonly kind: 'verify'; readonly peer: Peer; readonly text: string }
  | { readonly kind: 'expand'; readonly peer: Peer; readonly text: string }
  | { readonly kind: 'start'; readonly peer: Peer; readonly node: Node }
  | {
      readonly kind: 'exchange'
      readonly peer: Peer
      readonly verb: 'ATRN' | 'TURN'
      readonly domains: readonly string[]
    }

/** Verdict for most, verdicts for rcpts and accept, answers of their own for login, start and include. */
export type Answer = Verdict | readonly Verdict[] | LoginAnswer | StartAnswer | IncludeAnswer
