/** The account room as a whole, its parts joined: what the composer opens once for each store. */
import { everything, type Store } from '../store/store.ts'
import type { World } from '../world/world.ts'
import { Accounts } from './accounts.ts'
import { AppPasswords } from './app-passwords.ts'
import { type Authorities, noAuthorities } from './authority.ts'
import { Hasher } from './credentials.ts'
import { Directory } from './directory.ts'
import type { CheckForeign } from './foreign-hash.ts'
import { Identities } from './identities.ts'
import { installationKey, type Login, openLogin } from './login.ts'
import { sealingKey } from './seal.ts'
import type { AccountSettings } from './settings.ts'

/** The topic under which nodes hear that domains, accounts, aliases or passwords have changed. */
export const accountTopic = 'account'

export interface AccountRoom {
  readonly directory: Directory
  readonly login: Login
  readonly accounts: Accounts
  readonly apps: AppPasswords
  readonly identities: Identities
  /** Something changed that did not pass through `accounts`: the settings, or another node's write. */
  changed(accountId?: number): void
}

/** What is asked of others: hashes of other servers, and who else knows names and passwords. */
export interface Others {
  readonly foreign?: CheckForeign | undefined
  readonly authorities?: (() => Authorities) | undefined
}

/** The costs of hashing are read once; all other settings each time. */
export async function openAccounts(
  store: Store,
  world: Pick<World, 'clock' | 'random' | 'log'>,
  settings: () => AccountSettings,
  { foreign, authorities = () => noAuthorities }: Others = {},
): Promise<AccountRoom> {
  const kept = await installationKey({ store, random: world.random }, 'account.password_key')
  const { passwordKey } = settings()
  const sealing = passwordKey === undefined ? kept : sealingKey(passwordKey)
  const making = () => ({
    kinds: settings().verifiers,
    realm: settings().realm,
    sealingKey: sealing,
  })
  const hasher = new Hasher(settings().cost, world.random, making, foreign)
  const directory = new Directory(store, world.clock, settings, () => authorities().addresses)
  const login = await openLogin({ store, hasher, settings, authorities, ...pick(world) }, sealing)
  const told = (accountId?: number) => {
    directory.changed()
    if (accountId !== undefined) login.changed(accountId)
    if (!store.alone) store.wake(accountTopic)
  }
  const accounts = new Accounts(store, hasher, ({ accountId }) => told(accountId))
  const apps = new AppPasswords(store, hasher, world.random, told)
  const identities = new Identities(store, told)
  // What another node has changed; this one hears itself, too, and only forgets a little more.
  store.onWake(topic => {
    if (topic !== accountTopic && topic !== everything) return
    directory.changed()
    login.changed()
  })
  return {
    directory,
    login,
    accounts,
    apps,
    identities,
    changed(accountId) {
      directory.changed()
      login.changed(accountId)
    },
  }
}

function pick({ clock, random, log }: Pick<World, 'clock' | 'random' | 'log'>) {
  return { clock, random, log }
}
