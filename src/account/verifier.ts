/**
 * What is kept of a password, by kind: a row of the table `credential` (or `app_verifier`) each. Which kinds
 * are made follows from the mechanisms that the operator has switched on, for the weakest kept is the
 * strength of all: who steals the table attacks that one.
 */

export type VerifierKind =
  /** A PHC string (RFC 9106): for what sends the password. */
  | 'argon2id'
  /** RFC 5803 strings. */
  | 'scram-sha-1'
  | 'scram-sha-256'
  | 'scram-sha-512'
  /** The password itself, encrypted (seal.ts): CRAM-MD5 and APOP compute with it. */
  | 'password'
  /** `realm:` and H(name:realm:password) in hexadecimal (RFC 2831 §2.1.2.1). */
  | 'digest-md5'
  /** The NT hash in hexadecimal: as good as the password to whoever speaks NTLM. */
  | 'nt'
  /** What another server kept, in its own words: `{SSHA}...`; gone after the first login. */
  | 'foreign'
  /** Of app passwords alone, which are long and random: a salted SHA-256 is enough. */
  | 'sha256'

export interface Verifier {
  readonly kind: VerifierKind
  readonly verifier: string
}

/** What a password may be used for. */
export type Scope = 'smtp' | 'imap' | 'pop3'

export const scopes: readonly Scope[] = ['smtp', 'imap', 'pop3']

/** What each mechanism needs; those that send the password need no more than all have. */
const needs: Readonly<Record<string, VerifierKind>> = {
  'SCRAM-SHA-1': 'scram-sha-1',
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-512': 'scram-sha-512',
  'CRAM-MD5': 'password',
  APOP: 'password',
  'DIGEST-MD5': 'digest-md5',
  NTLM: 'nt',
  'GSS-SPNEGO': 'nt',
}

/** The kinds that are made of a password under these mechanisms, in a fixed order. */
export function kindsFor(mechanisms: readonly string[]): readonly VerifierKind[] {
  const wanted = new Set(mechanisms.map(name => needs[name.replace(/-PLUS$/, '')]))
  const kinds: readonly VerifierKind[] = [
    ...(['argon2id', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512'] as const),
    ...(['password', 'digest-md5', 'nt'] as const),
  ]
  return kinds.filter(kind => kind === 'argon2id' || wanted.has(kind))
}
