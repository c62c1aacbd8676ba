/**
 * Since when an address has led to whom it leads now (RFC 7293 §9). Asked at RCPT and again at delivery, only
 * where the sender wants it: it reads the rows each time and remembers nothing.
 *
 * An account's owner is known from its creation, since one that was removed and made again has another; an
 * alias counts from its eldest target: a list stays a list whoever joins it. When a catch-all was set is
 * not on record.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { canonical } from './address.ts'
import type { Directory } from './directory.ts'

/** held: it is so, or nobody is to ask; changed: it is not; unknown: nothing says whether. */
export type Tenure = 'held' | 'changed' | 'unknown'

/** Mailboxes of a function and not of a person (RFC 2142): never asked about (§5.1). */
const ROLES = new Set(
  [
    ['info', 'marketing', 'sales', 'support'],
    ['abuse', 'noc', 'security'],
    ['postmaster', 'hostmaster', 'usenet', 'news', 'webmaster', 'www', 'uucp', 'ftp'],
  ].flat(),
)

export function isRoleAccount({ local }: Address): boolean {
  return ROLES.has(local.toLowerCase())
}

/** Whether a recipient is still whom its sender means. Rejects only if the store does. */
export async function tenureOf(directory: Directory, recipient: Recipient): Promise<Tenure> {
  const { forwardPath, validSince } = recipient
  if (validSince === undefined || isRoleAccount(forwardPath)) return 'held'
  const found = await directory.resolve(forwardPath)
  if (found.kind === 'foreign' || found.kind === 'unknown') return 'held'
  if (found.kind === 'alias' && found.via === 'role') return 'held'
  if (found.kind === 'alias' && found.via === 'catch-all') return 'unknown'
  const since = await directory.since(forwardPath)
  if (since === undefined) return 'unknown'
  return since <= validSince.atMs ? 'held' : 'changed'
}

/** What is said of who is not: status detail and words (RFC 7293 §15.3). */
export function tenureFault(
  tenure: Exclude<Tenure, 'held'>,
  address: Address,
): { readonly detail: '7.17' | '7.19'; readonly text: string } {
  const name = formatAddress(canonical(address))
  return tenure === 'changed'
    ? { detail: '7.17', text: `${name}: the mailbox has not had one owner since then` }
    : { detail: '7.19', text: `${name}: since when the mailbox has its owner is not on record` }
}
