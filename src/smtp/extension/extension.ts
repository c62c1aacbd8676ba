/**
 * What an SMTP extension is (RFC 5321 §2.2): an EHLO keyword, and what it adds to MAIL, to RCPT and
 * to the verbs. One file each beside this one, one row each in table.ts; the
 * server session knows none of them by name.
 */
import type { Recipient, Sender } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/status.ts'
import type { ServerMechanism } from '../../sasl/mechanism.ts'
import type { Endpoint, TlsFacts } from '../../wire/effect.ts'
import type { SessionSettings } from '../server/question.ts'

/** An envelope part while its parameters are read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** What a parameter may depend on. */
export interface ParameterContext {
  readonly settings: SessionSettings
  /** True where the transaction has SMTPUTF8. */
  readonly utf8: boolean
  /** True where the session is under TLS. */
  readonly tls: boolean
}

/** Reads one parameter into the draft; gives the reply that refuses it, or undefined. */
export type ParameterRule<T> = (
  value: string | undefined,
  draft: Draft<T>,
  context: ParameterContext,
) => Reply | undefined

/**
 * Judges MAIL as a whole, once all its parameters are read: gives the reply that refuses it, a 250 that
 * says more than the usual one, or undefined. It may amend the draft. Not called where MAIL has no parameter.
 */
export type WholeRule = (draft: Draft<Sender>, context: ParameterContext) => Reply | undefined

/** What a client's parameter may depend on. */
export interface Writing {
  /** What the hop said behind its keyword. */
  readonly offered: string
  /** Whether it offers another extension. */
  readonly hopOffers: (keyword: Keyword) => boolean
  /** Octets of the message as it leaves, before dot-stuffing. */
  readonly sizeOctets: number
  /** True where the message needs SMTPUTF8. */
  readonly utf8: boolean
  /** The mechanism we logged in by, if we did. */
  readonly login: string | undefined
  /** Ms since the epoch. */
  readonly now: () => number
}

/** Why a message must not go by a hop, found before a word of it is said. */
export interface Unfit {
  readonly status: string
  readonly reason: string
}

/**
 * Judges a hop: `offered` is what it said behind the keyword, undefined where it lacks the extension; `tls` what
 * is known of it by TLS.
 */
export type FitnessRule<T> = (
  part: T,
  offered: string | undefined,
  now: () => number,
  tls: TlsFacts | undefined,
) => Unfit | undefined

/** Writes ` KEYWORD=value`, or '' where there is nothing to say. */
export type ParameterWriter<T> = (part: T, writing: Writing) => string

/** What an EHLO keyword line may depend on. */
export interface Offering {
  readonly settings: SessionSettings
  readonly tls: boolean
  /** True where we know who the peer is: he has logged in, or his certificate was verified. */
  readonly proven: boolean
  readonly loggedIn: boolean
  /** The listener's mechanisms that may run on this connection, in order. */
  readonly mechanisms: readonly ServerMechanism[]
}

/**
 * What a listener is for. It decides which extensions are on without a word of the config: `mx` takes
 * mail from strangers, `submission` from users, `lmtp` from another server of the house; `odmr` takes
 * none and gives customers theirs (RFC 2645).
 */
export type Service = 'mx' | 'submission' | 'lmtp' | 'odmr'

/** The keywords of all extensions: a new one is named here, and table.ts then wants its row. */
export type Keyword =
  | 'PIPELINING'
  | 'SIZE'
  | '8BITMIME'
  | 'BINARYMIME'
  | 'SMTPUTF8'
  | 'ENHANCEDSTATUSCODES'
  | 'CHUNKING'
  | 'BURL'
  | 'DSN'
  | 'DELIVERBY'
  | 'FUTURERELEASE'
  | 'MT-PRIORITY'
  | 'NO-SOLICITING'
  | 'RRVS'
  | 'STARTTLS'
  | 'REQUIRETLS'
  | 'AUTH'
  | 'HELP'
  | 'EXPN'
  | 'LIMITS'
  | 'CHECKPOINT'
  | 'MTRK'
  | 'XCLIENT'
  | 'XFORWARD'
  | 'XVERP'
  | 'ETRN'
  | 'ATRN'
  | 'TURN'

/** Verbs that only an extension brings. */
export type ExtensionVerb =
  | 'BDAT'
  | 'BURL'
  | 'STARTTLS'
  | 'AUTH'
  | 'HELP'
  | 'XCLIENT'
  | 'XFORWARD'
  | 'ETRN'
  | 'ATRN'
  | 'TURN'

export interface Extension {
  /** The keyword of the IANA registry: `with` and `without` of a listener switch it by this name. */
  readonly keyword: Keyword
  /** The RFCs that have it, the one to read first; none where there is none. */
  readonly rfcs: readonly number[]
  /** One line for HELP and for docs/rfc.md. */
  readonly help: string
  /**
   * The services where it is on without a word of the config; absent: all of them. Where it is off, only
   * the listener's `with` switches it on.
   */
  readonly onAt?: readonly Service[]
  /** The services outside which it may never be, whatever the config says; absent: none. */
  readonly onlyAt?: readonly Service[]
  /** False where this listener cannot have it at all: its verbs are then 502, its parameters 555. */
  readonly has?: (settings: SessionSettings) => boolean
  /** Whether a peer is shown it, by who connected; absent: all. Others are refused its verbs (550). */
  readonly shownTo?: (origin: Endpoint, settings: SessionSettings) => boolean
  /** The EHLO line of the moment, or undefined where it is not to be offered now. */
  readonly offer: (offering: Offering) => string | undefined
  readonly mail?: Readonly<Record<string, ParameterRule<Sender>>>
  readonly rcpt?: Readonly<Record<string, ParameterRule<Recipient>>>
  readonly whole?: WholeRule
  /** What we as a client add to MAIL and RCPT where the hop offers the keyword. */
  readonly writeMail?: ParameterWriter<Sender>
  readonly writeRcpt?: ParameterWriter<Recipient>
  /** Where the message, or one recipient, may not go by a hop without this extension, or with too little of it. */
  readonly unfit?: FitnessRule<Sender>
  readonly unfitRcpt?: FitnessRule<Recipient>
  readonly verbs?: readonly ExtensionVerb[]
  /** By how many octets MAIL and RCPT lines may be longer (RFC 5321 §4.5.3.1.4). */
  readonly mailOctets?: number
  readonly rcptOctets?: number
}
