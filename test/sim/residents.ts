/**
 * Whoever lives in a town, by name and password. The password of each is known, and so are its hashes once a town
 * of this process has made them: to make them takes longer than many a town lives. Called by server.ts.
 */

import type { Verifier, VerifierKind } from '../../src/account/verifier.ts'
import { addAccount } from '../../src/account/writer.ts'
import type { House } from '../../src/server/house.ts'
import { reader } from '../../src/store/store.ts'

/** Everybody's password, so that nobody has to be told. */
export function passwordOf(address: string): string {
  return `secret of ${address}`
}

/** Hashes that know nothing of the server that made them. */
const PORTABLE: readonly VerifierKind[] = [
  'argon2id',
  'scram-sha-1',
  'scram-sha-256',
  'scram-sha-512',
]
const SALT_OCTETS = 16

const known = new Map<string, readonly Verifier[]>()

const keptVerifiers = reader('town.keptVerifiers', (tx, address: string) =>
  tx.all<{ kind: VerifierKind; verifier: string }>(
    `SELECT kind, verifier FROM credential
     WHERE account_id = (SELECT id FROM account WHERE address = ?1)`,
    address,
  ),
)

/** Gives somebody an account. @param rules what the server's config says of logins */
export async function settle(house: House, address: string, rules: string): Promise<void> {
  const { store, world, accounts } = house
  const who = `${address} ${rules}`
  const verifiers = known.get(who)
  if (verifiers === undefined) {
    granted(await accounts.accounts.addAccount(address, passwordOf(address)))
    const kept = await store.read(keptVerifiers, address)
    if (kept.every(({ kind }) => PORTABLE.includes(kind))) known.set(who, kept)
    return
  }
  // The chance of the town goes on as if they had been made here.
  for (const _ of verifiers) world.random.octets(SALT_OCTETS)
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const added = granted(await store.write(addAccount, { address, domain, verifiers }))
  accounts.changed(added.id)
}

/** What must not be refused. */
export function granted<Done extends { readonly kind: string }>(
  done: Done,
): Exclude<Done, { readonly kind: 'refused' }> {
  if (done.kind === 'refused') throw new Error(`refused: ${JSON.stringify(done)}`)
  return done as Exclude<Done, { readonly kind: 'refused' }>
}
