/**
 * What the account room reads: one address for the directory, one account for a login, and lists
 * for people. Addresses are given and stored in canonical form (address.ts).
 */
import { farReader, reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import type { QuotaRow } from './quota.ts'
import type { Verifier, VerifierKind } from './verifier.ts'

export interface AccountRow {
  readonly id: number
  readonly address: string
  readonly disabled: boolean
}

/** An account with its own limits. */
export type HeldAccount = AccountRow & QuotaRow

/** What the rows say about one address. */
export interface Found {
  /** Whether the domain is ours. */
  readonly local: boolean
  readonly catchAll: string | null
  /** The account or the targets of an alias; the exact address comes before the one without detail. */
  readonly account?: HeldAccount
  readonly targets?: readonly string[]
}

/** One address: `key` is its canonical form, `base` that without detail (or the same again). */
export interface FindInput {
  readonly key: string
  readonly base: string
  readonly domain: string
  /** No more targets than this (and one, to see that there are too many) are read. */
  readonly targetsMax: number
}

interface StoredAccount {
  readonly id: number
  readonly address: string
  readonly disabled: number
}

export const findAddress = reader<FindInput, Found>(
  'account/findAddress',
  async (tx, { key, base, domain, targetsMax }) => {
    const row = await tx.get<{ catch_all: string | null }>(
      'SELECT catch_all FROM domain WHERE name = ?1',
      domain,
    )
    if (row === undefined) return { local: false, catchAll: null }
    const found = { local: true, catchAll: row.catch_all }
    for (const address of key === base ? [key] : [key, base]) {
      const account = await accountAt(tx, address)
      if (account !== undefined) return { ...found, account }
      const targets = await tx.all<{ target: string }>(
        'SELECT target FROM alias WHERE address = ?1 ORDER BY target LIMIT ?2',
        address,
        targetsMax + 1,
      )
      if (targets.length > 0) return { ...found, targets: targets.map(({ target }) => target) }
    }
    return found
  },
)

/** The first two addresses with a local part. `A` is the character behind `@`. */
export const findNamesakes = reader<string, readonly string[]>(
  'account/findNamesakes',
  async (tx, local) => {
    const rows = await tx.all<{ address: string }>(
      `SELECT address FROM account WHERE address >= ?1 AND address < ?2
       UNION SELECT address FROM alias WHERE address >= ?1 AND address < ?2 ORDER BY address LIMIT 2`,
      `${local}@`,
      `${local}A`,
    )
    return rows.map(row => row.address)
  },
)

/**
 * Since when an address leads to whom it leads: an account from its creation, an alias from its eldest
 * target. The exact address comes before the one without detail, as in findAddress.
 */
export const addressSince = reader<
  { readonly key: string; readonly base: string },
  number | undefined
>('account/addressSince', async (tx, { key, base }) => {
  for (const address of key === base ? [key] : [key, base]) {
    const row = await tx.get<{ since: number | null }>(
      `SELECT min(created_at) AS since FROM (
           SELECT created_at FROM account WHERE address = ?1
           UNION ALL SELECT created_at FROM alias WHERE address = ?1) made`,
      address,
    )
    if (row?.since != null) return row.since
  }
  return undefined
})

/** The account that was made first: it reads postmaster where nobody else was named. */
export const firstAccount = reader<null, string | undefined>('account/firstAccount', async tx => {
  const row = await tx.get<{ address: string }>(
    'SELECT address FROM account WHERE disabled = 0 ORDER BY id LIMIT 1',
  )
  return row?.address
})

/** The address of an account by its id; undefined where it is gone. */
export const addressOfAccount = reader<number, string | undefined>(
  'account/addressOf',
  async (tx, id) => {
    const row = await tx.get<{ address: string }>('SELECT address FROM account WHERE id = ?1', id)
    return row?.address
  },
)

export interface CredentialRow extends Verifier {
  readonly changedAt: number
  /** The id of the app password it is of; absent: the account's own. */
  readonly app?: string
  /** What the app password may be used for. */
  readonly scopes?: readonly string[]
}

export interface LoginRow extends HeldAccount {
  readonly credentials: readonly CredentialRow[]
}

interface StoredCredential {
  readonly kind: VerifierKind
  readonly verifier: string
  readonly changed_at: number
  readonly app: string | null
  readonly scopes: string | null
}

/** An account by its canonical address, with its verifiers: its own first. */
export const findLogin = reader<string, LoginRow | undefined>(
  'account/findLogin',
  async (tx, address) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return undefined
    const rows = await tx.all<StoredCredential>(
      `SELECT kind, verifier, changed_at, NULL AS app, NULL AS scopes, 0 AS place
         FROM credential WHERE account_id = ?1
       UNION ALL
       SELECT v.kind, v.verifier, p.created_at, p.id, p.scopes, 1
         FROM app_password p JOIN app_verifier v ON v.app_id = p.id WHERE p.account_id = ?1
       ORDER BY place, app, kind`,
      account.id,
    )
    return { ...account, credentials: rows.map(credentialOf) }
  },
)

function credentialOf({
  kind,
  verifier,
  changed_at,
  app,
  scopes,
}: StoredCredential): CredentialRow {
  const row = { kind, verifier, changedAt: changed_at }
  return app === null ? row : { ...row, app, scopes: (scopes ?? '').split(' ') }
}

export interface ListedApp {
  readonly id: string
  readonly label: string
  readonly scopes: string
  readonly createdAt: number
  readonly usedAt?: number
}

/** The app passwords of an account, by age; undefined where there is no such account. */
export const listApps = reader<string, readonly ListedApp[] | undefined>(
  'account/listApps',
  async (tx, address) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return undefined
    const rows = await tx.all<{
      id: string
      label: string
      scopes: string
      created_at: number
      used_at: number | null
    }>(
      `SELECT id, label, scopes, created_at, used_at FROM app_password
       WHERE account_id = ?1 ORDER BY created_at, id`,
      account.id,
    )
    return rows.map(({ id, label, scopes, created_at, used_at }) => ({
      ...{ id, label, scopes, createdAt: created_at },
      ...(used_at !== null && { usedAt: used_at }),
    }))
  },
)

const QUOTA = 'quota_octets AS "quotaOctets", quota_messages AS "quotaMessages"'

async function accountAt(tx: Read, address: string): Promise<HeldAccount | undefined> {
  const row = await tx.get<StoredAccount & QuotaRow>(
    `SELECT id, address, disabled, ${QUOTA} FROM account WHERE address = ?1`,
    address,
  )
  return row && { ...row, disabled: row.disabled !== 0 }
}

/** An account by its canonical address. */
export const findAccount = reader<string, HeldAccount | undefined>('account/findAccount', accountAt)

export type Origin = 'file' | 'rows'

export interface DomainRow {
  readonly name: string
  readonly catchAll?: string
  readonly origin: Origin
}

/** Near: a server has few domains, and asks for them all the time. */
export const listDomains = reader<null, readonly DomainRow[]>('account/listDomains', async tx => {
  const rows = await tx.all<{ name: string; catch_all: string | null; origin: Origin }>(
    'SELECT name, catch_all, origin FROM domain ORDER BY name',
  )
  return rows.map(({ name, catch_all, origin }) =>
    catch_all === null ? { name, origin } : { name, catchAll: catch_all, origin },
  )
})

/** A page of a list: rows behind `after`, at most `limit`; of one domain, or of all where it is ''. */
export interface Page {
  readonly domain: string
  readonly after: string
  readonly limit: number
}

export interface ListedAccount extends AccountRow {
  readonly createdAt: number
  /** When its password was set last; undefined where it has none. */
  readonly passwordAt?: number
}

async function accountsBehind(
  tx: Read,
  { domain, after, limit }: Page,
): Promise<readonly ListedAccount[]> {
  const rows = await tx.all<StoredAccount & { created_at: number; changed_at: number | null }>(
    `SELECT a.id, a.address, a.disabled, a.created_at,
       (SELECT max(c.changed_at) FROM credential c WHERE c.account_id = a.id) AS changed_at
     FROM account a WHERE a.address > ?1 AND a.address LIKE ?2 ORDER BY a.address LIMIT ?3`,
    after,
    inDomain(domain),
    limit,
  )
  return rows.map(row => ({
    id: row.id,
    address: row.address,
    disabled: row.disabled !== 0,
    createdAt: row.created_at,
    ...(row.changed_at === null ? {} : { passwordAt: row.changed_at }),
  }))
}

export const listAccounts = farReader('account/listAccounts', accountsBehind)

/** The same for a hundred at most: no thread has to start for them. */
export const listFewAccounts = reader('account/listFewAccounts', accountsBehind)

export interface AliasRow {
  readonly address: string
  readonly target: string
  readonly origin: Origin
}

/** A page of targets: behind the one given, so that an alias may begin on one page and end on the next. */
export interface AliasPage extends Page {
  readonly afterTarget: string
}

export const listAliases = farReader<AliasPage, readonly AliasRow[]>(
  'account/listAliases',
  (tx, { domain, after, afterTarget, limit }) =>
    tx.all<AliasRow>(
      `SELECT address, target, origin FROM alias
       WHERE (address > ?1 OR (address = ?1 AND target > ?2)) AND address LIKE ?3
       ORDER BY address, target LIMIT ?4`,
      after,
      afterTarget,
      inDomain(domain),
      limit,
    ),
)

/** A LIKE pattern for all addresses of a domain. Names of domains hold no wildcard (address.ts). */
export function inDomain(domain: string): string {
  return domain === '' ? '%' : `%@${domain}`
}
