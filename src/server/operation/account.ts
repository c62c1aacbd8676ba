/** Accounts, aliases and domains as an operator edits them: `account.*`, `alias.*`, `domain.*`. */
import { makePassword } from '../../account/credentials.ts'
import { limitOf } from '../../account/quota.ts'
import type { AliasRow, ListedAccount } from '../../account/reader.ts'
import type { Refused } from '../../account/writer.ts'
import { expunge } from '../../mailbox/expunge.ts'
import { usageOf } from '../../mailbox/quota.ts'
import { mailboxesOf, openMailbox } from '../../mailbox/reader.ts'
import { KEPT_NAME } from '../../mailbox/writer.ts'
import { ExitError } from '../exit-error.ts'
import type { AliasRecord, Done, OperationInput, OperationOutput } from '../operation.ts'
import type { ControlContext } from './context.ts'

const DONE: Done = {}

/** Exit codes of sysexits for why a change was refused. */
const EXITS: Readonly<Record<Refused['reason'], number>> = {
  exists: 73,
  missing: 67,
  'in use': 73,
  file: 77,
  invalid: 65,
  busy: 75,
}

/** Throws what was refused, as the command line tells it. */
export function done<Result extends { readonly kind: string }>(result: Result | Refused): void {
  if (result.kind !== 'refused') return
  const { reason, why } = result as Refused
  throw new ExitError(EXITS[reason], why)
}

export async function addAccount(
  { house }: ControlContext,
  input: { readonly address: string; readonly password?: string },
): Promise<OperationOutput<'account.add'>> {
  const password = input.password ?? makePassword(house.world.random)
  done(await house.accounts.accounts.addAccount(input.address, password))
  return shown(input, password)
}

export async function setPassword(
  { house }: ControlContext,
  input: { readonly address: string; readonly password?: string },
): Promise<OperationOutput<'account.password'>> {
  const password = input.password ?? makePassword(house.world.random)
  done(await house.accounts.accounts.setPassword(input.address, password))
  return shown(input, password)
}

/** A password that was made up is told, this once. */
function shown(
  input: { readonly address: string; readonly password?: string },
  password: string,
): { readonly address: string; readonly password?: string } {
  const { address } = input
  return input.password === undefined ? { address, password } : { address }
}

export async function listAccounts(
  { house }: ControlContext,
  { domain }: { readonly domain?: string },
): Promise<OperationOutput<'account.list'>> {
  const rows = await all<ListedAccount>(after =>
    house.accounts.accounts.accounts({
      after: after?.address ?? '',
      ...(domain ? { domain } : {}),
    }),
  )
  const accounts = rows.map(({ address, disabled, createdAt }) => ({
    address,
    disabled,
    createdAt,
  }))
  return { accounts }
}

export async function quota(
  { house }: ControlContext,
  input: OperationInput<'account.quota'>,
): Promise<OperationOutput<'account.quota'>> {
  const { accounts } = house.accounts
  const account = await accounts.find(input.address)
  if (account === undefined)
    throw new ExitError(EXITS.missing, `there is no account ${input.address} here`)
  const { octets = account.quotaOctets, messages = account.quotaMessages } = input
  const row = { quotaOctets: octets, quotaMessages: messages }
  if (input.octets !== undefined || input.messages !== undefined) {
    done(await accounts.setQuota(input.address, row))
  }
  const { storage, messages: standard } = house.settings().quota
  const limit = limitOf(row, { octets: storage, messages: standard })
  return {
    address: account.address,
    ...(await house.store.read(usageOf, account.id)),
    ...(limit?.octets ? { octetsMax: limit.octets } : {}),
    ...(limit?.messages ? { messagesMax: limit.messages } : {}),
    own: { octets: octets !== null, messages: messages !== null },
  }
}

export async function disable(
  { house }: ControlContext,
  { address }: { readonly address: string },
): Promise<Done> {
  done(await house.accounts.accounts.disable(address))
  return DONE
}

export async function enable(
  { house }: ControlContext,
  { address }: { readonly address: string },
): Promise<Done> {
  done(await house.accounts.accounts.enable(address))
  return DONE
}

export async function removeAccount(
  context: ControlContext,
  input: { readonly address: string; readonly withMail?: boolean },
): Promise<Done> {
  const { house } = context
  await removeMail(context, input.address, input.withMail === true)
  done(await house.accounts.accounts.removeAccount(input.address))
  return DONE
}

/** Empties every mailbox of an account, a slice at a time; without `all` only those of what is deleted already. */
async function removeMail({ house }: ControlContext, address: string, all: boolean): Promise<void> {
  const { store, world } = house
  for (const { accountId, name } of await store.read(mailboxesOf, address.toLowerCase())) {
    if (!all && !name.startsWith(KEPT_NAME)) continue
    const listing = await store.read(openMailbox, { accountId, name })
    if (!listing) continue
    const staged: string[] = []
    await expunge(store, listing.mailboxId, Array.from(listing.uids), names =>
      staged.push(...names),
    )
    for (const body of staged) await world.disk.remove(body)
  }
}

export async function addAlias(
  { house }: ControlContext,
  { address, targets }: { readonly address: string; readonly targets: readonly string[] },
): Promise<Done> {
  done(await house.accounts.accounts.addAlias(address, targets))
  return DONE
}

export async function removeAlias(
  { house }: ControlContext,
  { address, targets }: { readonly address: string; readonly targets?: readonly string[] },
): Promise<Done> {
  done(await house.accounts.accounts.removeAlias(address, targets))
  return DONE
}

export async function listAliases(
  { house }: ControlContext,
  { domain }: { readonly domain?: string },
): Promise<OperationOutput<'alias.list'>> {
  const rows = await all<AliasRow>(after =>
    house.accounts.accounts.aliases({
      after: after?.address ?? '',
      afterTarget: after?.target ?? '',
      ...(domain ? { domain } : {}),
    }),
  )
  const byAddress = Map.groupBy(rows, row => row.address)
  const aliases = [...byAddress].map(
    ([address, group]): AliasRecord => ({
      address,
      targets: group.map(row => row.target),
      origin: group[0]?.origin ?? 'rows',
    }),
  )
  return { aliases }
}

export async function addDomain(
  { house }: ControlContext,
  { name, catchAll }: { readonly name: string; readonly catchAll?: string },
): Promise<Done> {
  done(await house.accounts.accounts.addDomain(name, catchAll))
  await house.domains.refresh()
  return DONE
}

export async function removeDomain(
  { house }: ControlContext,
  { name }: { readonly name: string },
): Promise<Done> {
  done(await house.accounts.accounts.removeDomain(name))
  await house.domains.refresh()
  return DONE
}

export async function listDomains({
  house,
}: ControlContext): Promise<OperationOutput<'domain.list'>> {
  const rows = await house.accounts.accounts.domains()
  const domains = rows.map(({ name, catchAll, origin }) => ({
    name,
    origin,
    ...(catchAll === null ? {} : { catchAll }),
  }))
  return { domains }
}

/** All pages of a list. */
async function all<Row>(page: (after: Row | undefined) => Promise<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for (;;) {
    const next = await page(rows.at(-1))
    rows.push(...next)
    if (next.length < 1000) return rows
  }
}
