/**
 * The shape of every SASL mechanism (RFC 4422), both sides.
 *
 * A mechanism is a generator that may ask: it yields a challenge (and is resumed with the client's
 * response) or a question about an identity (and is resumed with policy's answer). It returns its
 * result. The protocol room (SMTP AUTH, POP3 AUTH, IMAP AUTHENTICATE) does the base64 and framing.
 */

/** What a mechanism must know of an account, and policy's word on it. */
export type LoginQuestion =
  /** Is this the password? Mechanisms PLAIN, LOGIN and the protocols' own commands (POP3 USER/PASS). */
  | {
      readonly kind: 'password'
      readonly mechanism: string
      readonly username: string
      /** The identity to act as; '' where the client named none. */
      readonly authorize: string
      readonly password: string
    }
  /** The SCRAM verifier of a name (RFC 5803). An unknown name gets a made-up one, stable in time. */
  | { readonly kind: 'scram'; readonly mechanism: string; readonly username: string }
  /**
   * CRAM-MD5 (RFC 2195): is this the digest of the challenge under the secret that is shared with him? Who
   * keeps only verifiers of passwords can answer no more than that it is not.
   */
  | {
      readonly kind: 'cram'
      readonly mechanism: string
      readonly username: string
      readonly challenge: string
      /** 32 hexadecimal digits in lower case. */
      readonly digest: string
    }
  /** The mechanism has proven `username`; may it act as `authorize`? */
  | {
      readonly kind: 'proven'
      readonly mechanism: string
      readonly username: string
      readonly authorize: string
    }

export type LoginAnswer =
  | { readonly kind: 'account'; readonly account: Account }
  | { readonly kind: 'verifier'; readonly verifier: ScramVerifier }
  /** Wrong name or password: one answer for both, in equal time. */
  | { readonly kind: 'denied'; readonly why: string }
  /** The directory cannot answer now: 454 4.7.0 (RFC 4954 §4.7.1). */
  | { readonly kind: 'unavailable'; readonly why: string }

/** Who logged in. */
export interface Account {
  readonly id: number
  /** The account's primary address, lower-case domain. */
  readonly address: string
}

/** Stored keys of SCRAM (RFC 5802 §3, RFC 7677); octets, not base64. */
export interface ScramVerifier {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  /** False for the made-up verifier of an unknown name: the proof is never taken. */
  readonly genuine: boolean
}

export type SaslStep =
  | { readonly kind: 'challenge'; readonly octets: Uint8Array }
  | { readonly kind: 'ask'; readonly question: LoginQuestion }

export type SaslResult =
  /** `final` is data that goes with the success (RFC 4422 §3.6), where the mechanism has any. */
  | { readonly kind: 'done'; readonly account: Account; readonly final?: Uint8Array }
  /** malformed: 501 5.5.2; denied: 535 5.7.8; unavailable: 454 4.7.0. */
  | {
      readonly kind: 'failed'
      readonly reason: 'malformed' | 'denied' | 'unavailable'
      readonly why: string
    }

/** What the mechanism is resumed with: the client's octets, or the answer to its question. */
export type SaslInput = Uint8Array | LoginAnswer

export interface ServerMechanism {
  /** The registered name: 'PLAIN', 'SCRAM-SHA-256'. */
  readonly name: string
  /** True where the password itself crosses the wire: only under TLS (RFC 4954 §4, RFC 8314). */
  readonly plaintext: boolean
  /** `initial` is the initial response, if the client sent one (it may be empty). */
  start(
    initial: Uint8Array | undefined,
    chance: (octets: number) => Uint8Array,
  ): Generator<SaslStep, SaslResult, SaslInput>
}

/** The client side: yields responses, is resumed with challenges. Throws nothing; returns false to give up. */
export interface ClientMechanism {
  readonly name: string
  readonly plaintext: boolean
  /** True where the first response can go with the command (RFC 4954 §4 initial-response). */
  readonly initial: boolean
  /** True where the server speaks first: what is yielded before its challenge is nothing to be sent. */
  readonly serverFirst?: boolean
  /** Returns true when the server's last data was as it must be (SCRAM checks the signature). */
  start(
    credentials: Credentials,
    chance: (octets: number) => Uint8Array,
  ): Generator<Uint8Array, boolean, Uint8Array>
}

export interface Credentials {
  readonly username: string
  readonly password: string
  /** The identity to act as, if another. */
  readonly authorize?: string
}
