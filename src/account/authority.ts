/**
 * Who else knows names and passwords: a directory (LDAP), a service (HTTP), a function of the config, and who
 * gives access tokens. Asked by password-check.ts and login.ts; made by the composer (server/authorities.ts).
 * An authority never throws for what a peer sent, and answers within a time of its own.
 */

import type { Place } from '../limit/slots.ts'
import type { TokenError } from '../sasl/mechanism.ts'
import type { Gss } from '../world/gss.ts'
import type { Scope } from './verifier.ts'

export interface PasswordQuestion {
  /** In canonical form. */
  readonly username: string
  readonly password: string
  readonly scope: Scope
  /** Where it stands in the line before a keeper that does not take all at once. */
  readonly place?: Place
}

export type AuthorityAnswer =
  /** It is he: the account's address. One that is not there yet is made where its domain is ours. */
  | { readonly kind: 'account'; readonly address: string }
  /** The name is known, and this is not the password: nobody else is asked. */
  | { readonly kind: 'wrong' }
  /** Another may know him. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface PasswordAuthority {
  /** For the log. */
  readonly name: string
  check(question: PasswordQuestion): Promise<AuthorityAnswer>
}

export type TokenAnswer =
  /** The token is good, and these are its owner's names: addresses. */
  | { readonly kind: 'owner'; readonly names: readonly string[] }
  | { readonly kind: 'refused'; readonly error: TokenError }
  | { readonly kind: 'unavailable'; readonly why: string }

export interface TokenAuthority {
  /** An empty token asks only where tokens are to be had. */
  check(token: string, place?: Place): Promise<TokenAnswer>
}

/** Who knows addresses that are no rows yet: asked where a domain of ours has nobody by a name. */
export interface AddressAuthority {
  /** The account that an address leads to; undefined: nobody's. Rejects where it cannot be found out. */
  accountOf(address: string): Promise<string | undefined>
}

/** Kerberos: the library that knows tickets, and whose a principal is. */
export interface KerberosAuthority extends Gss {
  /** For which services there is a key (`smtp`, `imap`, `pop`); none where it cannot be had. */
  readonly services: readonly string[]
  /** The account's address; undefined: nobody's. One that is not there yet is made where its domain is ours. */
  accountOf(principal: string): string | undefined
}

/** All there are, as they are now. */
export interface Authorities {
  readonly passwords: readonly PasswordAuthority[]
  readonly tokens?: TokenAuthority
  readonly addresses?: AddressAuthority
  readonly kerberos?: KerberosAuthority
}

export const noAuthorities: Authorities = { passwords: [] }

/** The first authority that knows the name. */
export async function askAuthorities(
  authorities: readonly PasswordAuthority[],
  question: PasswordQuestion,
): Promise<AuthorityAnswer> {
  for (const authority of authorities) {
    const answer = await authority.check(question)
    if (answer.kind !== 'unknown') return answer
  }
  return { kind: 'unknown' }
}
