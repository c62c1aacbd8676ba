/** The demo's own domain and accounts: made once, their passwords shown once. */
import type { Accounts } from '../account/accounts.ts'
import { makePassword } from '../account/credentials.ts'
import type { Random } from '../world/random.ts'
import { DEMO_DOMAIN } from './settings/demo-domain.ts'

const NAMES = ['alice', 'bob']
const SHOWN_MAX = 100

export interface DemoAccount {
  readonly address: string
  /** null where it was shown at an earlier start and is not known any more. */
  readonly password: string | null
}

/** On a folder that has no accounts yet; that it is there already is no mistake. */
export async function addDemoDomain(accounts: Accounts): Promise<void> {
  if ((await accounts.accounts()).length === 0) await accounts.addDomain(DEMO_DOMAIN)
}

/** Makes what is missing; on a folder that has accounts it only lists them. */
export async function prepareDemo(accounts: Accounts, random: Random): Promise<DemoAccount[]> {
  const known = await accounts.accounts({ limit: SHOWN_MAX })
  if (known.length > 0) return known.map(({ address }) => ({ address, password: null }))
  await addDemoDomain(accounts)
  const made: DemoAccount[] = []
  for (const name of NAMES) {
    const address = `${name}@${DEMO_DOMAIN}`
    const password = makePassword(random)
    const added = await accounts.addAccount(address, password)
    if (added.kind === 'refused') throw new Error(`demo account ${address}: ${added.why}`)
    made.push({ address, password })
  }
  return made
}
