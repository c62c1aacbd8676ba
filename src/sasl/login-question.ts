/**
 * What a mechanism asks about an identity, and policy's word on it: the page between sasl/ and whoever
 * keeps the accounts (account/login.ts). A mechanism computes with what it is told; it never looks
 * anybody up.
 */

import type { GssAnswer, GssStep } from '../world/gss.ts'

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
  /** The SCRAM verifiers of a name (RFC 5803). An unknown name gets a made-up one, stable in time. */
  | {
      readonly kind: 'scram'
      readonly mechanism: string
      readonly username: string
      readonly hash: ScramHashName
    }
  /**
   * What is kept for a mechanism that needs the password or what is as good; an unknown name gets a
   * made-up one. `realm` is DIGEST-MD5's.
   */
  | {
      readonly kind: 'secret'
      readonly mechanism: string
      readonly username: string
      readonly scheme: SecretScheme
      readonly realm?: string
    }
  /** Whose is this access token (RFC 6750)? `authorize` and `username` are whom the client means, or ''. */
  | {
      readonly kind: 'token'
      readonly mechanism: string
      readonly username: string
      readonly authorize: string
      readonly token: string
    }
  /** Whose is the client's verified certificate (EXTERNAL)? */
  | {
      readonly kind: 'certificate'
      readonly mechanism: string
      readonly username: string
      readonly authorize: string
      readonly certificate: CertificateFacts
    }
  /** A step of a security context (GSSAPI, GSS-SPNEGO), whose library policy has. Nobody is named yet. */
  | {
      readonly kind: 'gss'
      readonly mechanism: string
      readonly username: ''
      readonly step: GssStep
    }
  /** Whose is the principal that has proven itself (GSSAPI, GSS-SPNEGO)? */
  | {
      readonly kind: 'principal'
      readonly mechanism: string
      readonly username: ''
      /** As Kerberos writes it: `alice@EXAMPLE.ORG`. */
      readonly principal: string
      readonly authorize: string
    }
  /** May a nobody come in (ANONYMOUS)? `username` is the trace he gave. */
  | { readonly kind: 'anonymous'; readonly mechanism: string; readonly username: string }
  /** The mechanism has proven `username`; may it act as `authorize`? */
  | {
      readonly kind: 'proven'
      readonly mechanism: string
      readonly username: string
      readonly authorize: string
      /** The handle of what it was proven with, as the verifier or secret had it. */
      readonly credential?: string
    }

export type LoginAnswer =
  | { readonly kind: 'account'; readonly account: Account }
  /** At least one; all have the salt and the iterations of the first. */
  | {
      readonly kind: 'verifier'
      readonly verifier: ScramVerifier
      readonly more?: readonly ScramVerifier[]
    }
  | { readonly kind: 'secret'; readonly secrets: readonly Secret[] }
  | Extract<GssAnswer, { readonly kind: 'gss' }>
  /** Wrong name or password: one answer for both, in equal time. */
  | {
      readonly kind: 'denied'
      readonly why: string
      readonly token?: TokenError
      /** Who he is was proven, but not that he may act as the one he named (RFC 5530, AUTHORIZATIONFAILED). */
      readonly proven?: true
    }
  /** The directory cannot answer now: 454 4.7.0 (RFC 4954 §4.7.1). */
  | {
      readonly kind: 'unavailable'
      readonly why: string
      /** The account has as many sessions as it may. */
      readonly limit?: true
      /** There is no key for tickets here, and will be none for a while: by another mechanism, then. */
      readonly keyless?: true
    }

/** Who logged in. */
export interface Account {
  readonly id: number
  /** The account's primary address, lower-case domain. */
  readonly address: string
}

export type ScramHashName = 'sha1' | 'sha256' | 'sha512'

/** Stored keys of SCRAM (RFC 5802 §3, RFC 7677); octets, not base64. */
export interface ScramVerifier {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  /** False for the made-up verifier of an unknown name: the proof is never taken. */
  readonly genuine: boolean
  /** A handle of the one password of several that it is of. */
  readonly credential?: string
}

/**
 * 'password': the password itself (CRAM-MD5, APOP). 'digest-md5': H(name:realm:password), RFC 2831
 * §2.1.2.1. 'nt': the NT hash, MD4 of the password in UTF-16.
 */
export type SecretScheme = 'password' | 'digest-md5' | 'nt'

export interface Secret {
  readonly octets: Uint8Array
  /** False where it is made up: nothing computed with it is ever right. */
  readonly genuine: boolean
  readonly credential?: string
}

/** What a verified certificate says of its owner. */
export interface CertificateFacts {
  readonly subject: string
  readonly fingerprint: string
  readonly commonName?: string
  readonly mailboxes: readonly string[]
}

/** Why a token was not taken, as RFC 7628 §3.2.2 tells it. */
export interface TokenError {
  readonly status: 'invalid_token' | 'insufficient_scope' | 'invalid_request'
  readonly scope?: string
  /** Where the client finds the configuration of who gives tokens (RFC 8414). */
  readonly configuration?: string
}
