/**
 * What changes domains and accounts. Inputs are checked and canonical (accounts.ts does that); what
 * the rows say against a change is an answer, not a throw. Aliases: alias-writer.ts.
 */
import { type Writer, writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import type { QuotaRow } from './quota.ts'
import { inDomain } from './reader.ts'
import type { Verifier } from './verifier.ts'

/** What came of a change. */
export type Change =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'refused'
      /** exists, missing: the row; in use: others hang on it; file: it is declared in the config. */
      readonly reason: 'exists' | 'missing' | 'in use' | 'file' | 'invalid' | 'busy'
      readonly why: string
    }

export type Refused = Extract<Change, { kind: 'refused' }>

export const done: Change = { kind: 'done' }

export function refused(reason: Refused['reason'], why: string): Refused {
  return { kind: 'refused', reason, why }
}

export interface NewDomain {
  readonly name: string
  readonly catchAll: string | null
}

export const addDomain = writer<NewDomain, Change>(
  'account/addDomain',
  async (tx, { name, catchAll }) => {
    const added = await tx.run(
      `INSERT INTO domain (name, catch_all, origin, created_at) VALUES (?1, ?2, 'rows', :now)
       ON CONFLICT (name) DO NOTHING`,
      name,
      catchAll,
    )
    return added > 0 ? done : refused('exists', `${name} is there already`)
  },
)

/** Names who reads what is addressed to nobody in a domain; null: nobody does. */
export const setCatchAll = writer<NewDomain, Change>(
  'account/setCatchAll',
  async (tx, { name, catchAll }) => {
    const refusal = await domainRefusal(tx, name)
    if (refusal !== undefined) return refusal
    await tx.run('UPDATE domain SET catch_all = ?2 WHERE name = ?1', name, catchAll)
    return done
  },
)

/** Only an empty domain goes: its accounts would get no mail any more. */
export const removeDomain = writer<string, Change>('account/removeDomain', async (tx, name) => {
  const refusal = await domainRefusal(tx, name)
  if (refusal !== undefined) return refusal
  const user = await tx.get<{ address: string }>(
    `SELECT address FROM account WHERE address LIKE ?1
     UNION ALL SELECT address FROM alias WHERE address LIKE ?1 ORDER BY 1 LIMIT 1`,
    inDomain(name),
  )
  if (user !== undefined)
    return refused('in use', `${name} has accounts or aliases still, such as ${user.address}`)
  await tx.run('DELETE FROM domain WHERE name = ?1', name)
  return done
})

async function domainRefusal(tx: Write, name: string): Promise<Refused | undefined> {
  const row = await tx.get<{ origin: string }>('SELECT origin FROM domain WHERE name = ?1', name)
  if (row === undefined) return refused('missing', `there is no domain ${name} here`)
  if (row.origin === 'file')
    return refused('file', `${name} is declared in the configuration file; change it there`)
  return undefined
}

export interface NewAccount {
  readonly address: string
  readonly domain: string
  readonly verifiers: readonly Verifier[]
}

export type AccountAdded = { readonly kind: 'added'; readonly id: number } | Refused

export const addAccount = writer<NewAccount, AccountAdded>(
  'account/addAccount',
  async (tx, { address, domain, verifiers }) => {
    if (!(await tx.get('SELECT name FROM domain WHERE name = ?1', domain)))
      return refused('missing', `there is no domain ${domain} here; add it first`)
    if (await tx.get('SELECT id FROM account WHERE address = ?1', address))
      return refused('exists', `there is an account ${address} already`)
    if (await tx.get('SELECT target FROM alias WHERE address = ?1 LIMIT 1', address))
      return refused('exists', `${address} is an alias`)
    const id = await nextId(tx)
    await tx.run('INSERT INTO account (id, address, created_at) VALUES (?1, ?2, :now)', id, address)
    await insertVerifiers(tx, id, verifiers)
    return { kind: 'added', id }
  },
)

/**
 * An id is given once: mail and ledger rows of an account that is gone must never be another's.
 * The counter is a row, as both stores may give the highest id again.
 */
async function nextId(tx: Write): Promise<number> {
  // First the row is locked: two nodes that add at once take turns, and the second reads what the first wrote.
  await tx.run(
    `INSERT INTO setting (name, value) VALUES ('account.last_id', '0')
     ON CONFLICT (name) DO UPDATE SET value = setting.value`,
  )
  const highest = await tx.get<{ id: number | null }>('SELECT max(id) AS id FROM account')
  const kept = await tx.get<{ value: string }>(
    "SELECT value FROM setting WHERE name = 'account.last_id'",
  )
  const id = Math.max(highest?.id ?? 0, Number(kept?.value ?? 0)) + 1
  await tx.run(
    `INSERT INTO setting (name, value) VALUES ('account.last_id', ?1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    String(id),
  )
  return id
}

export interface NewPassword {
  readonly address: string
  readonly verifiers: readonly Verifier[]
}

/** The account that was changed, so that what is remembered of it can be dropped. */
export type AccountChanged = { readonly kind: 'changed'; readonly id: number } | Refused

/** Replaces all verifiers of an account. */
export const setVerifiers = writer<NewPassword, AccountChanged>(
  'account/setVerifiers',
  async (tx, { address, verifiers }) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return noAccount(address)
    await tx.run('DELETE FROM credential WHERE account_id = ?1', account.id)
    await insertVerifiers(tx, account.id, verifiers)
    return { kind: 'changed', id: account.id }
  },
)

/** What a login has found out: verifiers of the password that is kept already, in other forms. */
export interface Upgrade {
  readonly accountId: number
  /** The verifier that the password was checked by: where it has changed since, nothing is done. */
  readonly by: Verifier
  readonly verifiers: readonly Verifier[]
}

/** Replaces the forms in which a password is kept; when it was set stays as it was. */
export const upgradeVerifiers = writer<Upgrade, null>(
  'account/upgradeVerifiers',
  async (tx, { accountId, by, verifiers }) => {
    const still = await tx.get<{ changed_at: number }>(
      'SELECT changed_at FROM credential WHERE account_id = ?1 AND kind = ?2 AND verifier = ?3',
      accountId,
      by.kind,
      by.verifier,
    )
    if (still === undefined) return null
    await tx.run('DELETE FROM credential WHERE account_id = ?1', accountId)
    await tx.many(
      'INSERT INTO credential (account_id, kind, verifier, changed_at) VALUES (?1, ?2, ?3, ?4)',
      verifiers.map(({ kind, verifier }) => [accountId, kind, verifier, still.changed_at]),
    )
    return null
  },
)

export const setDisabled = writer<
  { readonly address: string; readonly disabled: boolean },
  AccountChanged
>('account/setDisabled', async (tx, { address, disabled }) => {
  const account = await accountAt(tx, address)
  if (account === undefined) return noAccount(address)
  await tx.run('UPDATE account SET disabled = ?2 WHERE id = ?1', account.id, disabled ? 1 : 0)
  return { kind: 'changed', id: account.id }
})

export const setQuota = writer<{ readonly address: string } & QuotaRow, AccountChanged>(
  'account/setQuota',
  async (tx, { address, quotaOctets, quotaMessages }) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return noAccount(address)
    await tx.run(
      'UPDATE account SET quota_octets = ?2, quota_messages = ?3 WHERE id = ?1',
      account.id,
      quotaOctets,
      quotaMessages,
    )
    return { kind: 'changed', id: account.id }
  },
)

/**
 * Removes an account that has no mail. Its mail, where it has some, is removed first and elsewhere
 * (mailbox/), as bodies are shared and a large mailbox is removed in slices.
 */
export const removeAccount = writer<string, AccountChanged>(
  'account/removeAccount',
  async (tx, address) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return noAccount(address)
    const mail = await tx.get(
      `SELECT m.uid FROM mailbox b JOIN mailbox_message m ON m.mailbox_id = b.id
       WHERE b.account_id = ?1 LIMIT 1`,
      account.id,
    )
    if (mail !== undefined) return refused('in use', `${address} has mail still`)
    await tx.run(
      `DELETE FROM mailbox_vanished WHERE mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?1)`,
      account.id,
    )
    await tx.run(
      `DELETE FROM annotation WHERE account_id = ?1
       OR mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?1)`,
      account.id,
    )
    await tx.run(
      `DELETE FROM acl WHERE identifier = ?2
       OR mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?1)`,
      account.id,
      address,
    )
    await tx.run(
      'DELETE FROM url_key WHERE mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?1)',
      account.id,
    )
    // The newest number is not given again (mailbox/retire.ts): a session may know it still.
    await tx.run(
      `UPDATE mailbox SET account_id = 0, name = ?2 || CAST(id AS TEXT), former_name = NULL
       WHERE account_id = ?1 AND id = (SELECT max(id) FROM mailbox)`,
      account.id,
      '\x7f',
    )
    await tx.run('DELETE FROM mailbox WHERE account_id = ?1', account.id)
    await tx.run('DELETE FROM subscription WHERE account_id = ?1', account.id)
    await tx.run('DELETE FROM credential WHERE account_id = ?1', account.id)
    await tx.run(
      `DELETE FROM app_verifier
       WHERE app_id IN (SELECT id FROM app_password WHERE account_id = ?1)`,
      account.id,
    )
    await tx.run('DELETE FROM app_password WHERE account_id = ?1', account.id)
    await tx.run('DELETE FROM identity WHERE account_id = ?1', account.id)
    await tx.run('DELETE FROM account WHERE id = ?1', account.id)
    return { kind: 'changed', id: account.id }
  },
)

export function accountAt(tx: Write, address: string): Promise<{ id: number } | undefined> {
  return tx.get<{ id: number }>('SELECT id FROM account WHERE address = ?1', address)
}

export function noAccount(address: string): Refused {
  return refused('missing', `there is no account ${address} here`)
}

function insertVerifiers(tx: Write, id: number, verifiers: readonly Verifier[]): Promise<void> {
  return tx.many(
    'INSERT INTO credential (account_id, kind, verifier, changed_at) VALUES (?1, ?2, ?3, :now)',
    verifiers.map(({ kind, verifier }) => [id, kind, verifier]),
  )
}

/** Keeps a value under a name if there is none yet; gives the one that is kept. */
export const keepSetting: Writer<{ readonly name: string; readonly value: string }, string> =
  writer('account/keepSetting', async (tx, { name, value }) => {
    await tx.run(
      'INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING',
      name,
      value,
    )
    const kept = await tx.get<{ value: string }>('SELECT value FROM setting WHERE name = ?1', name)
    return kept?.value ?? value
  })
