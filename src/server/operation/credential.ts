/** Credentials as an operator edits them: app passwords, and the hashes of another server. */
import type { Scope } from '../../account/verifier.ts'
import type { Done, OperationOutput } from '../operation.ts'
import { done } from './account.ts'
import type { ControlContext } from './context.ts'

export async function importAccounts(
  { house }: ControlContext,
  { entries }: { readonly entries: readonly { readonly address: string; readonly hash: string }[] },
): Promise<OperationOutput<'account.import'>> {
  const { accounts } = house.accounts
  const refused: { readonly address: string; readonly why: string }[] = []
  for (const { address, hash } of entries) {
    const added = await accounts.addAccount(address, { hash })
    const result =
      added.kind === 'refused' && added.reason === 'exists'
        ? await accounts.setPassword(address, { hash })
        : added
    if (result.kind === 'refused') refused.push({ address, why: result.why })
  }
  return { imported: entries.length - refused.length, refused }
}

export async function addAppPassword(
  { house }: ControlContext,
  {
    address,
    label,
    scopes,
  }: { readonly address: string; readonly label: string; readonly scopes?: readonly Scope[] },
): Promise<OperationOutput<'account.app-password.add'>> {
  const made = await house.accounts.apps.add(address, label, scopes)
  done(made)
  const { id, password } = made as Extract<typeof made, { kind: 'added' }>
  return { id, password }
}

export async function listAppPasswords(
  { house }: ControlContext,
  { address }: { readonly address: string },
): Promise<OperationOutput<'account.app-password.list'>> {
  const listed = await house.accounts.apps.list(address)
  if ('kind' in listed) done(listed)
  return { apps: 'kind' in listed ? [] : listed }
}

export async function removeAppPassword(
  { house }: ControlContext,
  { address, named }: { readonly address: string; readonly named: string },
): Promise<Done> {
  done(await house.accounts.apps.remove(address, named))
  return {}
}
