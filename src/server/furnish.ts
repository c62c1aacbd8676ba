/** Makes a house ready to be lived in: the rows the config declares, the demo's accounts, the self-test. */
import { addDemoDomain, type DemoAccount, prepareDemo } from './demo.ts'
import { ExitError } from './exit-error.ts'
import type { House } from './house.ts'
import { findOpenRelay } from './self-test.ts'
import type { Settings } from './settings/settings.ts'

/** Rejects with ExitError where the config's rows are refused or a stranger could relay. */
export async function furnish(house: House, demo: boolean): Promise<readonly DemoAccount[]> {
  // The config may have aliases at the demo's domain.
  if (demo) await addDemoDomain(house.accounts.accounts)
  await declare(house, house.settings())
  const accounts = demo ? await prepareDemo(house.accounts.accounts, house.world.random) : []
  await house.domains.refresh()
  const relays = await findOpenRelay(house)
  if (relays.length === 0) return accounts
  throw new ExitError(78, `self-test: this server would relay for strangers: ${relays.join(' ')}`)
}

/** Makes the rows of origin 'file' be those of the config. */
export async function declare(house: House, settings: Settings): Promise<void> {
  const declared = await house.accounts.accounts.declare({
    domains: settings.domains.map(d => (typeof d === 'string' ? { name: d } : d)),
    aliases: Object.entries(settings.aliases).map(([address, target]) => ({
      address,
      targets: typeof target === 'string' ? [target] : target,
    })),
  })
  if (declared.kind !== 'refused') return
  const lines = declared.whys.map(why => `  ${why}`)
  throw new ExitError(78, ['the config declares what cannot be:', ...lines].join('\n'))
}
