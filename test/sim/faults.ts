/**
 * What a delivery over the wire may meet, each fault by itself, where a storm mixes them: whatever the moment, no
 * recipient is lost, and none is served twice but in doubt (oracle.ts). Lived through by run.ts (`--faults`, from
 * many seeds) and, from one seed and shorter, by faults.test.ts.
 */
import type { Random } from '../../src/world/random.ts'
import { seededRandom } from '../../src/world/sim/index.ts'
import { type Broken, judge } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const [SECOND, MINUTE, DAY] = [1_000, 60_000, 86_400_000]
/** Letters are so far from each other. */
const EACH_MS = 20 * SECOND

export interface Fault {
  readonly name: string
  /** @param forMs how long it lasts */
  readonly begin: (town: Town, chance: Random, forMs: number) => void
  /** Nodes of the domain that sends. */
  readonly nodes?: number
}

/** Something that is on and off at random, never longer than `mostMs`, and off behind all. */
function flapping(
  town: Town,
  chance: Random,
  { forMs, mostMs }: { readonly forMs: number; readonly mostMs: number },
  set: (on: boolean) => void,
): void {
  let on = false
  for (let at = chance.below(SECOND); at < forMs; at += 1 + chance.below(mostMs)) {
    on = !on
    const now = on
    town.later(at, () => set(now))
  }
  town.later(forMs, () => set(false))
}

const wrong = (n: number) => [n, `host${n}.nowhere.test`] as const

export const faults: readonly Fault[] = [
  {
    // A dialogue takes some 400 ms here: each life of the machine ends at another step of one.
    name: 'SIGKILL in every phase of a delivery',
    begin(town, chance, forMs) {
      const [server] = town.nodes
      for (let at = 0; at < forMs; at += EACH_MS) {
        town.later(at + chance.below(3 * SECOND), () => server?.isUp && server.crash())
      }
    },
  },
  {
    name: 'a next hop that dies and comes back all the time',
    begin(town, chance, forMs) {
      const there = town.server('b.test')
      flapping(town, chance, { forMs, mostMs: 20 * SECOND }, dead => {
        there.reboots = !dead
        if (!dead) there.wakeUp()
        else if (there.isUp) there.crash()
      })
    },
  },
  {
    name: 'a wire that is cut and mended all the time',
    begin(town, chance, forMs) {
      const { network } = town.internet
      flapping(town, chance, { forMs, mostMs: 3 * SECOND }, cut => {
        if (cut) network.part('mx.a.test', 'mx.b.test')
        else network.heal('mx.a.test', 'mx.b.test')
      })
    },
  },
  {
    name: 'DNS that times out and fails',
    begin(town, chance, forMs) {
      const { zones } = town.internet
      for (const name of ['b.test', 'mx.b.test']) {
        flapping(town, chance, { forMs, mostMs: 2 * MINUTE }, on => {
          zones.fail(name, on ? (chance.below(2) === 0 ? 'timeout' : 'SERVFAIL') : undefined)
        })
      }
    },
  },
  {
    name: 'DNS that leads elsewhere, to nobody, and back to us',
    begin(town, chance, forMs) {
      const { zones } = town.internet
      flapping(town, chance, { forMs, mostMs: 2 * MINUTE }, on => {
        const lies = [
          { mx: [wrong(1)] },
          { mx: [[5, 'mx.c.test'] as const] },
          { mx: [[5, 'mx.a.test'] as const] },
        ]
        zones.lie('b.test', on ? lies[chance.below(lies.length)] : undefined)
      })
    },
  },
  {
    name: 'DNS with a thousand mail hosts of which one is there',
    begin(town, chance, forMs) {
      const { zones } = town.internet
      const mx = Array.from({ length: 1_000 }, (_, n) => wrong(n + 2))
      // Preference 1: of those beyond the first ten nobody need hear (RFC 5321 §5.1).
      flapping(town, chance, { forMs, mostMs: 4 * MINUTE }, on => {
        zones.lie('b.test', on ? { mx: [...mx, [1, 'mx.b.test'] as const] } : undefined)
      })
    },
  },
  {
    name: 'a disk that is full whenever it is written to',
    begin(town, chance, forMs) {
      const [server] = town.nodes
      if (server === undefined) return
      flapping(town, chance, { forMs, mostMs: MINUTE }, full => {
        server.faultAt = full ? () => ({ at: 'before commit', how: 'full' }) : undefined
        server.host.disk.capacityOctets = full ? 0 : Number.POSITIVE_INFINITY
      })
    },
  },
  {
    name: 'clocks that jump a day ahead and back',
    begin(town, chance, forMs) {
      for (const server of town.nodes) {
        for (let n = 0; n < 6; n++) {
          const at = chance.below(forMs)
          town.later(at, () => server.host.jumpClock(DAY))
          town.later(at + chance.below(10 * MINUTE), () => server.host.jumpClock(-DAY))
        }
      }
    },
  },
  {
    name: 'two nodes on one store, either of which is killed',
    nodes: 2,
    begin(town, chance, forMs) {
      const [first, second] = town.nodes
      for (let at = 0; at < forMs; at += EACH_MS) {
        const node = chance.below(2) === 0 ? first : second
        town.later(at + chance.below(3 * SECOND), () => node?.isUp && node.crash())
      }
    },
  },
]

/** @param letters how many are sent meanwhile */
export async function lived(
  { name, begin, nodes = 1 }: Fault,
  seed: number,
  letters: number,
): Promise<{ readonly broken: readonly Broken[]; readonly taken: number }> {
  const town = await createTown({
    seed: `${name} ${seed}`,
    rough: true,
    servers: [
      { domain: 'a.test', accounts: ['alice'], nodes },
      { domain: 'b.test', accounts: ['bob', 'bill'] },
      { domain: 'c.test', accounts: ['carol'] },
    ],
  })
  const chance = seededRandom(`${name} ${seed}`)
  town.internet.network.faults.latencyMs = [20, 60]
  begin(town, chance, letters * EACH_MS)
  for (let n = 0; n < letters; n++) {
    const to = ['bob@b.test', 'bill@b.test', 'carol@c.test'].slice(chance.below(2))
    const letter = { from: 'alice@a.test', to, subject: `letter ${n}` }
    town.later(n * EACH_MS, () => void town.user('alice@a.test').send(letter))
  }
  await town.advance('6 days')
  const taken = town.tries.filter(({ recipients }) =>
    recipients.some(({ outcome }) => outcome.kind === 'delivered'),
  )
  return { broken: await judge(town), taken: taken.length }
}
