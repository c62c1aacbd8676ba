/**
 * One or several nodes that carry mail away from one store, and the hosts they carry it to, which do as they
 * are told: for tests of lanes, limits and rates. Mail begins in the queue; there are no clients.
 */
import { parseStoredAddress } from '../../src/mail/address.ts'
import { buildHouse, type House } from '../../src/server/house.ts'
import { type Config, settingsSchema } from '../../src/server/settings/settings.ts'
import { type MemoryStore, openMemoryStore } from '../../src/store/memory.ts'
import { reader, type Store } from '../../src/store/store.ts'
import { FakeServer, type Script } from '../../src/transport/fake-server.ts'
import type { Clock } from '../../src/world/clock.ts'
import {
  createWorld,
  type Duration,
  type Host,
  type Internet,
  simIdentity,
} from '../../src/world/sim/index.ts'

export interface CarriersPlan {
  readonly seed: number | string
  readonly nodes?: number
  readonly config?: Config
  /** Of a life before. */
  readonly store?: MemoryStore
  readonly internet?: Internet
  /** How long a write of that name takes, half of it before it is done. */
  readonly writeMs?: (name: string) => number
}

/** Rows of the queue by domain and state, and how many attempts they have behind them. */
const states = reader<
  null,
  {
    domain: string
    state: string
    lane: string | null
    rows: number
    attempts: number
    doubts: number
  }[]
>('test.states', tx =>
  tx.all(
    `SELECT domain, state, lane, count(*) AS rows, sum(attempts) AS attempts, sum(doubts) AS doubts FROM recipient
       GROUP BY domain, state, lane ORDER BY domain, state`,
  ),
)

export class Carriers {
  readonly internet: Internet
  readonly hosts: Host[] = []
  readonly houses: House[] = []
  readonly store: MemoryStore
  readonly servers = new Map<string, { readonly host: Host; readonly fake: FakeServer }>()
  #messages = 0

  /** Use `createCarriers`. */
  constructor(internet: Internet, store: MemoryStore) {
    this.internet = internet
    this.store = store
  }

  /** A domain with one host of its own. */
  async domain(name: string, script: Script = {}): Promise<FakeServer> {
    const n = this.servers.size + 1
    const host = this.internet.host({
      name: `mx.${name}`,
      addresses: [`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`],
    })
    this.internet.zones.set(name, { mx: [[10, `mx.${name}`]] })
    const fake = new FakeServer(script)
    await fake.listen(host.world)
    this.servers.set(name, { host, fake })
    return fake
  }

  /** Its machine is off: connections are refused, or nothing answers. */
  off(name: string, peersMeet: 'resets' | 'silence' = 'resets'): void {
    this.servers.get(name)?.host.crash(peersMeet)
  }

  async on(name: string): Promise<void> {
    const server = this.servers.get(name)
    if (server === undefined) throw new Error(`no ${name}`)
    server.host.restart()
    await server.fake.listen(server.host.world)
  }

  /** Accepts messages to these addresses, a message each, or to all of a list. */
  async send(
    to: readonly (string | readonly string[])[],
    from = 'joe@a.test',
    node = 0,
  ): Promise<void> {
    const { inbound, world } = this.houses[node] as House
    const accepted = to.map(addresses => {
      const body = Buffer.from(`Subject: ${++this.#messages}\r\n\r\nhello\r\n`)
      const finals = [addresses].flat().map(address => {
        const { domain } = parseStoredAddress(address)
        return { address, domain, notify: null, originalRecipient: null, aliasOf: null }
      })
      return inbound.spool.accept({
        identity: inbound.identify(),
        origin: 'submission',
        envelope: { sender: { reversePath: parseStoredAddress(from), body: '7BIT', utf8: false } },
        finals,
        head: `Date: ${world.clock.now()}\r\n`,
        body,
        accountId: null,
        peer: '[192.0.2.9]',
        prefix: body,
      })
    })
    await this.internet.complete(Promise.all(accepted))
  }

  advance(duration: Duration): Promise<void> {
    return this.internet.advance(duration)
  }

  async rows(
    domain: string,
  ): Promise<
    { state: string; lane: string | null; rows: number; attempts: number; doubts: number }[]
  > {
    const all = await this.internet.complete(this.store.read(states, null))
    return all.filter(row => row.domain === domain).map(({ domain: _, ...row }) => row)
  }

  async count(domain: string, state: string): Promise<number> {
    const rows = await this.rows(domain)
    return rows.filter(row => row.state === state).reduce((sum, row) => sum + row.rows, 0)
  }

  /** How many attempts ended in doubt. */
  async doubts(domain: string): Promise<number> {
    const rows = await this.rows(domain)
    return rows.reduce((sum, row) => sum + row.doubts, 0)
  }

  async attempts(domain: string): Promise<number> {
    const rows = await this.rows(domain)
    return rows.reduce((sum, row) => sum + row.attempts, 0)
  }
}

export async function createCarriers(plan: CarriersPlan): Promise<Carriers> {
  const internet = plan.internet ?? createWorld({ seed: plan.seed })
  internet.network.faults.cut = 'whole'
  internet.network.faults.latencyMs = [5, 5]
  const store = plan.store ?? (await openMemoryStore({ now: () => internet.now }))
  const carriers = new Carriers(internet, store)
  const nodes = plan.nodes ?? 1
  for (let n = 0; n < nodes; n++) {
    const name = `node${n}.a.test`
    const address = `192.0.2.${n + 1 + (plan.internet === undefined ? 0 : 100)}`
    const host = internet.host({ name, addresses: [address] })
    const settings = settingsSchema.parse({ hostname: name, ...plan.config })
    const house = await internet.complete(
      buildHouse({
        world: host.world,
        store: seen(store, host.world.clock, { ...plan, slot: n }),
        settings: () => settings,
        hooks: () => undefined,
        identity: simIdentity([name]),
        pem: file => file,
        ourAddresses: () => host.addresses,
        pollMs: 12 * 3_600_000,
      }),
    )
    await internet.complete(house.worker.start())
    carriers.hosts.push(host)
    carriers.houses.push(house)
  }
  return carriers
}

/** The store as one node sees it. */
function seen(
  store: MemoryStore,
  clock: Clock,
  { nodes = 1, slot, writeMs }: Pick<CarriersPlan, 'nodes' | 'writeMs'> & { readonly slot: number },
): Store {
  if (nodes === 1 && writeMs === undefined) return store
  return {
    alone: nodes === 1,
    read: (r, input) => store.read(r, input),
    write: async (w, input, moved) => {
      const ms = writeMs?.(w.name) ?? 0
      if (ms === 0) return store.write(w, input, moved)
      const half = () => new Promise<void>(resolve => void clock.after(ms / 2, resolve))
      await half()
      const result = await store.write(w, input, moved)
      await half()
      return result
    },
    slot: () => (nodes === 1 ? store.slot() : slot),
    wake: topic => store.wake(topic),
    onWake: listen => store.onWake(listen),
    stats: () => store.stats(),
    close: () => store.close(),
  }
}
