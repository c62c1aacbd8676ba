/** Whom accounts may write as, as an operator sees, gives and takes it back: `account.identity.*`. */
import { checkAddress } from '../../account/address.ts'
import type { Grant } from '../../inbound/identity.ts'
import { type Address, parseStoredAddress } from '../../mail/address.ts'
import { matchesAddress, parseAddressPattern } from '../../route/pattern.ts'
import { ExitError } from '../exit-error.ts'
import type { OperationInput, OperationOutput } from '../operation.ts'
import type { IdentityRecord } from '../operation-account.ts'
import { done } from './account.ts'
import type { ControlContext } from './context.ts'

export async function addIdentity(
  { house }: ControlContext,
  { address, pattern: text, delegate = false }: OperationInput<'account.identity.add'>,
): Promise<OperationOutput<'account.identity.add'>> {
  const pattern = patternNamed(text)
  done(await house.accounts.identities.add(address, { pattern, delegate }))
  return { pattern, delegate, origin: 'rows' }
}

export async function listIdentities(
  { house }: ControlContext,
  { address }: OperationInput<'account.identity.list'>,
): Promise<OperationOutput<'account.identity.list'>> {
  const listed = await house.accounts.identities.list(address)
  if ('kind' in listed) {
    done(listed)
    return { identities: [] }
  }
  const checked = checkAddress(address)
  const account = 'why' in checked ? undefined : parseStoredAddress(checked.key)
  const { as, behalf } = house.inbound.settings().identities
  return {
    identities: [
      ...listed.map(({ pattern, delegate }) => ({ pattern, delegate, origin: 'rows' as const })),
      ...ofConfig(as, account, false),
      ...ofConfig(behalf, account, true),
    ],
  }
}

export async function removeIdentity(
  { house }: ControlContext,
  { address, pattern: text }: OperationInput<'account.identity.remove'>,
): Promise<OperationOutput<'account.identity.remove'>> {
  const pattern = patternNamed(text)
  done(await house.accounts.identities.remove(address, pattern))
  return { pattern, delegate: false, origin: 'rows' }
}

function ofConfig(
  grants: readonly Grant[],
  account: Address | undefined,
  delegate: boolean,
): IdentityRecord[] {
  if (account === undefined) return []
  return grants
    .filter(({ who }) => matchesAddress(who, account))
    .flatMap(({ whom }) => whom.map(({ text }) => ({ pattern: text, delegate, origin: 'file' })))
}

/** A pattern in its one spelling, so that it is found again however it is written. */
function patternNamed(text: string): string {
  const { parts } = parseAddressPattern(text.trim()) ?? {}
  if (parts === undefined) {
    throw new ExitError(
      65,
      `${JSON.stringify(text)} is no pattern of addresses: write joe@example.org, @example.org for all of a domain, or news-*@example.org`,
    )
  }
  const [local, domain] = [parts.local.join('*'), parts.domain.join('*')]
  return local === '*' ? `@${domain}` : `${local}@${domain}`
}
