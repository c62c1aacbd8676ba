/**
 * What goes wrong in a storm: each kind of mishap as a list of parts with names (storm-plan.ts). None lasts
 * beyond the weather: what would is ended by storm.ts when the sky clears.
 */
import type { MemoryFault } from '../../src/store/memory.ts'
import type { Random } from '../../src/world/random.ts'
import { type Fate, type Segment, seededRandom } from '../../src/world/sim/index.ts'
import type { MailServer, ServerPlan } from './server.ts'
import { type Part, pick } from './storm-plan.ts'
import { tearSomeBody } from './tear.ts'
import type { Town } from './town.ts'

const HOUR = 3_600_000

type ChanceOf = (name: string) => Random

export function incidents(
  chanceOf: ChanceOf,
  hours: number,
  servers: readonly ServerPlan[],
): readonly Part[] {
  return [
    ...network(chanceOf),
    ...servers.flatMap(({ domain, nodes = 1 }) =>
      Array.from({ length: nodes }, (_, n) => ofNode(chanceOf, hours, { domain, n })).flat(),
    ),
    ...servers.flatMap(({ domain }, i) => ofDomain(chanceOf, hours, { domain, n: i })),
    ...visits(chanceOf, hours, servers),
  ]
}

interface Which {
  readonly domain: string
  readonly n: number
}

/** A node of the town, and everything it needs to be found again. */
function nodeOf(town: Town, { domain, n }: Which): MailServer | undefined {
  return town.nodes.filter(({ plan }) => plan.domain === domain)[n]
}

function network(chanceOf: ChanceOf): Part[] {
  return [
    {
      name: 'latency',
      begin({ internet: { network: net } }) {
        net.faults.latencyMs = [1, pick(chanceOf('latency'), [5, 50, 400])]
      },
    },
    {
      name: 'resets',
      begin({ internet: { network: net } }) {
        net.faults.resetsPerMillion = pick(chanceOf('resets'), [0, 0, 1_000, 20_000])
      },
    },
    {
      name: 'fates',
      begin({ internet: { network: net } }) {
        const fate = planFates(chanceOf('fates'))
        if (fate !== undefined) net.faults.fate = fate
      },
    },
  ]
}

/** So many of one kind in six hours, at most. */
function several(
  chanceOf: ChanceOf,
  hours: number,
  { name, most }: { readonly name: string; readonly most: number },
  begin: (town: Town, chance: Random) => void,
): Part[] {
  const count = Math.round((chanceOf(`${name}s`).below(most + 1) * hours) / 6)
  return Array.from({ length: count }, (_, i) => {
    const part = `${name} ${i + 1}`
    return { name: part, begin: town => begin(town, chanceOf(part)) }
  })
}

function ofNode(chanceOf: ChanceOf, hours: number, which: Which): Part[] {
  const node = which.n === 0 ? which.domain : `${which.domain} second`
  const weatherMs = hours * HOUR
  /** Something that begins, and ends up to an hour later. */
  const during = (kind: string, most: number, run: (server: MailServer) => () => void) =>
    several(chanceOf, hours, { name: `${node} ${kind}`, most }, (town, chance) => {
      const server = nodeOf(town, which)
      const forMs = chance.below(HOUR)
      if (server === undefined) return
      town.later(chance.below(Math.max(1, weatherMs - HOUR)), () => town.later(forMs, run(server)))
    })
  const once = (kind: string, most: number, run: (server: MailServer, chance: Random) => void) =>
    several(chanceOf, hours, { name: `${node} ${kind}`, most }, (town, chance) => {
      const server = nodeOf(town, which)
      if (server !== undefined) town.later(chance.below(weatherMs), () => run(server, chance))
    })
  return [
    ...commits(chanceOf, hours, which, node),
    ...once('crash', 1, server => {
      if (server.isUp) server.crash()
    }),
    ...once('stop', 1, server => {
      if (server.isUp) void server.stop().catch(() => server.isUp && server.crash())
    }),
    ...once('clock', 1, (server, chance) => {
      server.host.jumpClock((chance.below(20) - 10) * 60_000)
    }),
    ...during('full', 2, server => {
      const { disk } = server.host
      disk.capacityOctets = 0
      return () => {
        disk.capacityOctets = Number.POSITIVE_INFINITY
      }
    }),
    ...during('dead', 1, server => {
      server.reboots = false
      if (server.isUp) server.crash()
      return () => server.wakeUp()
    }),
    ...during('database', 2, server => {
      server.seat?.link(false)
      return () => server.seat?.link(true)
    }),
  ]
}

const COMMIT_FAULTS: readonly MemoryFault[] = [
  { at: 'before commit', how: 'crash' },
  { at: 'after commit', how: 'crash' },
  { at: 'before commit', how: 'full' },
  { at: 'before commit', how: 'busy' },
  { at: 'before commit', how: 'broken' },
  { at: 'after commit', how: 'broken' },
]

/** Faults of commits; of a store that nodes share, of one node's writes. */
function commits(chanceOf: ChanceOf, hours: number, which: Which, node: string): Part[] {
  return several(chanceOf, hours, { name: `${node} commit`, most: 5 }, (town, chance) => {
    const server = nodeOf(town, which)
    if (server === undefined) return
    const at = 1 + chance.below(60)
    const fault = pick(chance, COMMIT_FAULTS)
    const [commit, write] = [server.faultAt, server.writeFaultAt]
    if (server.isShared) server.writeFaultAt = n => (n === at ? fault : write?.(n))
    else server.faultAt = n => (n === at ? fault : commit?.(n))
  })
}

function ofDomain(chanceOf: ChanceOf, hours: number, which: Which): Part[] {
  const { domain } = which
  const weatherMs = hours * HOUR
  const during = (kind: string, most: number, run: (town: Town, chance: Random) => () => void) =>
    several(chanceOf, hours, { name: `${domain} ${kind}`, most }, (town, chance) => {
      const from = chance.below(Math.max(1, weatherMs - HOUR))
      const forMs = chance.below(HOUR)
      town.later(from, () => town.later(forMs, run(town, chance)))
    })
  return [
    ...during('dns', 2, ({ internet: { zones } }, chance) => {
      const name = pick(chance, [domain, `mx.${domain}`])
      zones.fail(name, pick(chance, ['SERVFAIL', 'timeout', 'REFUSED']))
      return () => zones.fail(name, undefined)
    }),
    ...during('lie', 1, ({ internet: { zones }, nodes }, chance) => {
      const wrong = pick(chance, nodes).name
      zones.lie(domain, pick(chance, ['missing', { mx: [[5, wrong]] }, { mx: [[0, '']] }, {}]))
      return () => zones.lie(domain, undefined)
    }),
    ...during('parted', 2, ({ internet: { network: net }, nodes }, chance) => {
      const [mine, other] = [`mx.${domain}`, pick(chance, nodes).name]
      net.part(mine, other)
      return () => net.heal(mine, other)
    }),
    ...several(chanceOf, hours, { name: `${domain} torn`, most: 1 }, (town, chance) => {
      town.later(chance.below(weatherMs), () => {
        const server = town.nodes.find(({ plan }) => plan.domain === domain)
        if (server !== undefined) void tearSomeBody(server, chance)
      })
    }),
  ]
}

/** People look for mail. */
function visits(chanceOf: ChanceOf, hours: number, servers: readonly ServerPlan[]): Part[] {
  return servers.flatMap(({ domain, accounts }) =>
    accounts.flatMap(name => {
      const address = `${name}@${domain}`
      return several(chanceOf, hours, { name: `${address} visit`, most: 3 }, (town, chance) => {
        town.later(chance.below(hours * HOUR + 2 * HOUR), () => void town.user(address).visit())
      })
    }),
  )
}

/** Fates of segments by the phase of the dialogue they stand in. */
function planFates(chance: Random): ((segment: Segment) => Fate) | undefined {
  const perMille = () => pick(chance, [0, 0, 50, 300])
  const replyLost = perMille()
  const contentCut = perMille()
  const readingCut = perMille()
  const how: Fate = pick(chance, ['reset', 'lose'])
  const dice = seededRandom(`fates ${chance.below(1_000_000)}`)
  return ({ octets, fromClient, port }) => {
    const text = Buffer.from(octets).toString('latin1')
    if (port === 993 || port === 995) {
      const ends = /QUIT|EXPUNGE|MOVE|OK (?:Completed|MOVE|EXPUNGE)|^\+OK bye/im.test(text)
      return ends && dice.below(1000) < readingCut ? how : 'deliver'
    }
    if (port !== 25 && port !== 587) return 'deliver'
    const odds = fromClient
      ? /^\d+ x{60}/m.test(text) || text.includes('\r\n.\r\n')
        ? contentCut / 4
        : 0
      : text.includes('queued as')
        ? replyLost
        : 0
    return dice.below(1000) < odds ? how : 'deliver'
  }
}
