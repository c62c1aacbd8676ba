/**
 * The account that an authority vouches for: as it is, or made now, without a password, where its domain is ours.
 * Called by password-check.ts, login.ts and directory.ts.
 */
import { formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import { canonical, checkAddress } from './address.ts'
import { findLogin } from './reader.ts'
import { addAccount } from './writer.ts'

/** Undefined: disabled, or an address that is none of ours. Rejects only if the store does. */
export async function accountMade(store: Store, text: string): Promise<Account | undefined> {
  const key = formatAddress(canonical(parseStoredAddress(text)))
  const known = await store.read(findLogin, key)
  if (known !== undefined)
    return known.disabled ? undefined : { id: known.id, address: known.address }
  const checked = checkAddress(text)
  if ('why' in checked) return undefined
  const { key: address } = checked
  const input = { address, domain: checked.address.domain, verifiers: [] }
  const added = await store.write(addAccount, input)
  if (added.kind === 'added') return { id: added.id, address }
  // Two logins at once: the other one has made it.
  const row = added.reason === 'exists' ? await store.read(findLogin, key) : undefined
  return row && !row.disabled ? { id: row.id, address: row.address } : undefined
}
