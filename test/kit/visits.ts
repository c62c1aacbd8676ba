/** Visits over a store in memory and a clock of their own, for the tests of src/limit. */

import { openBans } from '../../src/limit/bans.ts'
import { Connections } from '../../src/limit/connections.ts'
import { Failures } from '../../src/limit/failures.ts'
import { type VisitLimits, Visits } from '../../src/limit/visits.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { parseNetwork } from '../../src/wire/network.ts'
import { silent } from '../../src/world/log.ts'
import { createWorld } from '../../src/world/sim/index.ts'

const loopback = ['127.0.0.0/8', '::1'].map(parseNetwork).filter(each => each !== undefined)

/** None but what a test names. */
export const noLimits: Limits = {
  exempt: loopback,
  connections: 1000,
  perNetwork: 1000,
  commands: 0,
  rates: {
    connections: undefined,
    commands: undefined,
    errors: undefined,
    badRecipients: undefined,
    messages: undefined,
    recipients: undefined,
  },
  tarpit: { after: 0, first: 0, longest: 0 },
  sessionTime: 0,
  loginFailures: 0,
  bans: { first: 600_000, longest: 86_400_000, forget: 86_400_000 },
}

export type Limits = VisitLimits & {
  readonly perAddress?: number
  readonly perNetwork: number
  readonly loginFailures: number
  readonly bans: { readonly first: number; readonly longest: number; readonly forget: number }
}

/** One node; several share a store. */
export async function scriptedNode(changes: Partial<Limits> = {}, shared?: Store) {
  const internet = createWorld({ seed: 1 })
  const { world } = internet.host({ name: 'a.test', addresses: ['192.0.2.200'] })
  const limits = { ...noLimits, ...changes }
  const store = shared ?? (await openMemoryStore({ now: () => world.clock.now() }))
  const load = { shedding: false }
  const turnedAway: string[] = []
  const bans = await openBans({
    store,
    world: { clock: world.clock, log: silent },
    lengths: () => limits.bans,
  })
  const visits = new Visits({
    clock: world.clock,
    connections: new Connections(() => limits),
    failures: new Failures(world.clock, () => limits.loginFailures),
    bans,
    load,
    limits: () => limits,
    turnedAway: { add: labels => void turnedAway.push(labels) },
  })
  /** Somebody comes: his visit, and why he was dismissed. */
  const come = (address: string) => {
    const said: string[] = []
    const visit = visits.begin(address, [], { dismiss: why => void said.push(why) })
    return { visit, said, admission: visit.admission() }
  }
  return { internet, store, bans, visits, load, turnedAway, come }
}
