/**
 * Identities as rows: addresses that an account may write as, by pattern. Called by identities.ts, and by directory.ts,
 * which remembers them.
 */
import { reader, writer } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { type AccountChanged, accountAt, noAccount, refused } from './writer.ts'

/** An address, or a pattern of them. */
export interface Identity {
  readonly pattern: string
  /** Only with the account's own name as `Sender`. */
  readonly delegate: boolean
}

export interface ListedIdentity extends Identity {
  readonly createdAt: number
}

/** Each of them is looked at for every author that is not the account's own. */
const IDENTITIES_MAX = 200

export const addIdentity = writer<{ readonly address: string } & Identity, AccountChanged>(
  'account/addIdentity',
  async (tx, { address, pattern, delegate }) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return noAccount(address)
    const known = await tx.get<{ count: number }>(
      'SELECT count(*) AS count FROM identity WHERE account_id = ?1 AND pattern <> ?2',
      account.id,
      pattern,
    )
    if (Number(known?.count) >= IDENTITIES_MAX)
      return refused('in use', `${address} has ${IDENTITIES_MAX} identities; remove one first`)
    await tx.run(
      `INSERT INTO identity (account_id, pattern, delegate, created_at) VALUES (?1, ?2, ?3, :now)
       ON CONFLICT (account_id, pattern) DO UPDATE SET delegate = excluded.delegate`,
      account.id,
      pattern,
      delegate ? 1 : 0,
    )
    return { kind: 'changed', id: account.id }
  },
)

export const removeIdentity = writer<
  { readonly address: string; readonly pattern: string },
  AccountChanged
>('account/removeIdentity', async (tx, { address, pattern }) => {
  const account = await accountAt(tx, address)
  if (account === undefined) return noAccount(address)
  const removed = await tx.run(
    'DELETE FROM identity WHERE account_id = ?1 AND pattern = ?2',
    account.id,
    pattern,
  )
  if (removed === 0) return refused('missing', `${address} was not given ${pattern} here`)
  return { kind: 'changed', id: account.id }
})

interface Row {
  readonly pattern: string
  readonly delegate: number
  readonly created_at: number
}

/** Those of an account, by its id. */
export const identitiesOf = reader<number, readonly ListedIdentity[]>(
  'account/identitiesOf',
  ofAccount,
)

async function ofAccount(tx: Read, id: number): Promise<readonly ListedIdentity[]> {
  const rows = await tx.all<Row>(
    'SELECT pattern, delegate, created_at FROM identity WHERE account_id = ?1 ORDER BY pattern',
    id,
  )
  return rows.map(({ pattern, delegate, created_at }) => ({
    ...{ pattern, delegate: delegate !== 0, createdAt: created_at },
  }))
}

/** The same by its address; undefined where there is no such account. */
export const listIdentities = reader<string, readonly ListedIdentity[] | undefined>(
  'account/listIdentities',
  async (tx, address) => {
    const account = await tx.get<{ id: number }>(
      'SELECT id FROM account WHERE address = ?1',
      address,
    )
    return account && ofAccount(tx, account.id)
  },
)
