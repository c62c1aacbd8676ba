/**
 * Which addresses an account may write as (RFC 6409 §6.1 leaves it to the site): its own, with any detail behind
 * them; those of aliases that lead to it, and what a catch-all brings it; and what the config and the command line
 * give it, as itself or on behalf of others. Asked for reverse-paths and authors by submission.ts, for AUTH= by submitter.ts, and
 * by `explain`.
 */
import { mayUse } from '../account/expand.ts'
import { type Address, parseStoredAddress } from '../mail/address.ts'
import { type AddressPattern, matchesAddress, parseAddressPattern } from '../route/pattern.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Inbound } from './role.ts'

/** 'own': mail for it comes to the account. 'as': it was given it. 'behalf': only with its own name as `Sender`. */
export type Right = 'own' | 'as' | 'behalf'

/** Whoever matches may write as what matches. */
export interface Grant {
  readonly who: AddressPattern
  readonly whom: readonly AddressPattern[]
}

/** It is refused, let through with `Sender`, or written anew as the account's own. */
export type AuthorPolicy = 'reject' | 'sender' | 'rewrite'

export interface IdentityRules {
  readonly as: readonly Grant[]
  readonly behalf: readonly Grant[]
  /** What becomes of a reverse-path that the account may not use. */
  readonly mailFrom: 'reject' | 'rewrite'
  /** What becomes of an author of ours whom it may not use, and of one from elsewhere. */
  readonly from: AuthorPolicy
  readonly foreignFrom: AuthorPolicy
}

/** The right of an account to an address; undefined where it has none. Rejects only if the store does. */
export async function rightTo(
  { directory, settings }: Pick<Inbound, 'directory' | 'settings'>,
  account: Account,
  address: Address,
): Promise<Right | undefined> {
  if (await mayUse(directory, account.id, address)) return 'own'
  const { as, behalf } = settings().identities
  if (isGranted(as, account, address)) return 'as'
  const given = (await directory.identities(account.id)).filter(({ pattern }) => {
    const parsed = parseAddressPattern(pattern)
    return parsed !== undefined && matchesAddress(parsed, address)
  })
  if (given.some(({ delegate }) => !delegate)) return 'as'
  return given.length > 0 || isGranted(behalf, account, address) ? 'behalf' : undefined
}

function isGranted(grants: readonly Grant[], account: Account, address: Address): boolean {
  if (grants.length === 0) return false
  const user = parseStoredAddress(account.address)
  return grants.some(
    ({ who, whom }) =>
      matchesAddress(who, user) && whom.some(pattern => matchesAddress(pattern, address)),
  )
}
