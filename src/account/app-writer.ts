/**
 * What changes app passwords: passwords of an account that a machine made, each for one program, so that it
 * can be taken back alone. Inputs are checked (app-passwords.ts).
 */
import { writer } from '../store/store.ts'
import type { Verifier } from './verifier.ts'
import { type AccountChanged, accountAt, noAccount, refused } from './writer.ts'

/** As many as a person has programs, and some. */
const APPS_MAX = 50

export interface NewApp {
  readonly address: string
  readonly id: string
  readonly label: string
  /** Words with spaces between: `smtp imap`. */
  readonly scopes: string
  readonly verifiers: readonly Verifier[]
}

export const addApp = writer<NewApp, AccountChanged>(
  'account/addApp',
  async (tx, { address, id, label, scopes, verifiers }) => {
    const account = await accountAt(tx, address)
    if (account === undefined) return noAccount(address)
    const known = await tx.all<{ label: string }>(
      'SELECT label FROM app_password WHERE account_id = ?1',
      account.id,
    )
    if (known.some(app => app.label === label))
      return refused('exists', `${address} has an app password '${label}' already`)
    if (known.length >= APPS_MAX)
      return refused('in use', `${address} has ${APPS_MAX} app passwords; remove one first`)
    await tx.run(
      `INSERT INTO app_password (id, account_id, label, scopes, created_at)
       VALUES (?1, ?2, ?3, ?4, :now)`,
      id,
      account.id,
      label,
      scopes,
    )
    await tx.many(
      'INSERT INTO app_verifier (app_id, kind, verifier) VALUES (?1, ?2, ?3)',
      verifiers.map(({ kind, verifier }) => [id, kind, verifier]),
    )
    return { kind: 'changed', id: account.id }
  },
)

/** By its label or its id. */
export const removeApp = writer<
  { readonly address: string; readonly named: string },
  AccountChanged
>('account/removeApp', async (tx, { address, named }) => {
  const account = await accountAt(tx, address)
  if (account === undefined) return noAccount(address)
  const app = await tx.get<{ id: string }>(
    'SELECT id FROM app_password WHERE account_id = ?1 AND (label = ?2 OR id = ?2)',
    account.id,
    named,
  )
  if (app === undefined) return refused('missing', `${address} has no app password '${named}'`)
  await tx.run('DELETE FROM app_verifier WHERE app_id = ?1', app.id)
  await tx.run('DELETE FROM app_password WHERE id = ?1', app.id)
  return { kind: 'changed', id: account.id }
})

/** An app password was used: known to the hour, so that a login does not cost a write each time. */
export const appUsed = writer<string, null>('account/appUsed', async (tx, id) => {
  await tx.run('UPDATE app_password SET used_at = :now WHERE id = ?1', id)
  return null
})
