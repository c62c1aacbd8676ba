/**
 * The shape of every SASL mechanism (RFC 4422), both sides.
 *
 * A mechanism is a generator that may ask: it yields a challenge (and is resumed with the client's
 * response) or a question about an identity (and is resumed with policy's answer). It returns its
 * result. The protocol room (SMTP AUTH, POP3 AUTH, IMAP AUTHENTICATE) does the base64 and framing.
 */
import type { TlsFacts } from '../wire/effect.ts'
import type { AsideAnswer, AsideStep } from '../world/aside.ts'
import type { Ticket } from '../world/gss.ts'
import type { Wants } from './channel.ts'
import type { Account, LoginAnswer, LoginQuestion } from './login-question.ts'

export type {
  Account,
  LoginAnswer,
  LoginQuestion,
  ScramHashName,
  ScramVerifier,
  Secret,
  TokenError,
} from './login-question.ts'

export type SaslStep =
  /** `words`: not for a program, and no base64 where the protocol allows (MS-SMTPNTLM). */
  | { readonly kind: 'challenge'; readonly octets: Uint8Array; readonly words?: boolean }
  | { readonly kind: 'ask'; readonly question: LoginQuestion }

export type SaslResult =
  /** `final` is data that goes with the success (RFC 4422 §3.6), where the mechanism has any. */
  | {
      readonly kind: 'done'
      readonly account: Account
      readonly final?: Uint8Array
    }
  /** malformed: 501 5.5.2; denied: 535 5.7.8; unavailable: 454 4.7.0. */
  | {
      readonly kind: 'failed'
      readonly reason: 'malformed' | 'denied' | 'unavailable'
      readonly why: string
      readonly limit?: true
      readonly proven?: true
    }

/** What the mechanism is resumed with: the client's octets, or the answer to its question. */
export type SaslInput = Uint8Array | LoginAnswer

/** The connection that an exchange is for, as a server knows it. */
export interface ServerContext {
  readonly chance: (octets: number) => Uint8Array
  readonly tls?: TlsFacts | undefined
  /** Names of the mechanisms offered on it: where a -PLUS form was, no client may say that none is. */
  readonly offered: readonly string[]
  /** Our own name. */
  readonly hostname: string
  /** The service's name in a principal or digest-uri: `smtp`, `lmtp`, `pop`, `imap`. */
  readonly service: Service
}

export type Service = 'smtp' | 'lmtp' | 'pop' | 'imap'

export interface ServerMechanism extends Wants {
  /** True where an initial response has no place, since the server begins (RFC 4954 §4). */
  readonly serverFirst?: boolean
  /** `initial` is the initial response, if the client sent one (it may be empty). */
  start(
    initial: Uint8Array | undefined,
    context: ServerContext,
  ): Generator<SaslStep, SaslResult, SaslInput>
}

/** The connection that a login is for, as a client knows it. */
export interface ClientContext {
  readonly chance: (octets: number) => Uint8Array
  readonly tls?: TlsFacts | undefined
  /** What the server offers, in upper case. */
  readonly offered: readonly string[]
  /** The server's name, and its port where it is known. */
  readonly hostname: string
  readonly port?: number
  readonly service: Service
}

/** A client's response, or a step that whoever holds the session has done (world/aside.ts). */
export type ClientStep = Uint8Array | AsideStep

/**
 * The client side: yields responses and is resumed with challenges. Throws nothing. Returns true when the server's
 * last data was as it must be (SCRAM checks the signature), false to give up, or why it gives up.
 */
export interface ClientMechanism extends Wants {
  /** True where the first response can go with the command (RFC 4954 §4 initial-response). */
  readonly initial: boolean
  /** True where the server speaks first: what is yielded before its challenge is nothing to be sent. */
  readonly serverFirst?: boolean
  /** What it logs in with. */
  readonly by: 'password' | 'token' | 'certificate' | 'ticket'
  start(
    credentials: Credentials,
    context: ClientContext,
  ): Generator<ClientStep, boolean | string, Uint8Array | AsideAnswer>
}

export interface Credentials {
  readonly username: string
  readonly password?: string
  /** An OAuth access token (RFC 6750) in place of a password. */
  readonly token?: string
  /** True where the certificate that we show is the login (EXTERNAL). */
  readonly certificate?: boolean
  /** Where a Kerberos ticket of ours is to be had (GSSAPI, GSS-SPNEGO). */
  readonly ticket?: Ticket
  /** The identity to act as, if another. */
  readonly authorize?: string
  /** The only mechanisms that may be used, by name; absent: any. */
  readonly mechanisms?: readonly string[]
}
