/**
 * A random town in random weather, all of it from one seed: who lives there, who writes to whom, and
 * what goes wrong meanwhile. The weather ends after six hours; six days later oracle.ts judges.
 * Run by run.ts (by hand, many) and town.test.ts (some, always).
 */
import type { Notify } from '../../src/mail/envelope.ts'
import type { MemoryFault } from '../../src/store/memory.ts'
import type { Random } from '../../src/world/random.ts'
import { type Fate, type Segment, seededRandom } from '../../src/world/sim/index.ts'
import { type Broken, judge } from './oracle.ts'
import type { ServerPlan } from './server.ts'
import { createTown, type Town } from './town.ts'
import type { Letter } from './user.ts'

export interface Storm {
  readonly town: Town
  readonly broken: readonly Broken[]
  /** What was planned and what came of it, on one line. */
  readonly summary: string
}

const HOUR = 3_600_000
const WEATHER_MS = 6 * HOUR
const DOMAINS = ['a.test', 'b.test', 'c.test'] as const
const NAMES = ['anna', 'bob', 'carol'] as const

/** Lives through the storm of a seed. */
export async function storm(seed: number): Promise<Storm> {
  const chance = seededRandom(`storm ${seed}`)
  const servers = planServers(chance)
  const town = await createTown({ seed, servers, rough: true })
  town.tracer.start()
  const sent = planLetters(chance, town)
  planWeather(chance, town)
  await town.advance(WEATHER_MS)
  await clearSky(town)
  await town.advance('6 days')
  const broken = [...(await judge(town))]
  for (const { letter, isSent } of sent) {
    if (isSent()) continue
    broken.push({ rule: 'a client comes to an end', what: `${letter.from}: ${letter.subject}` })
  }
  return { town, broken, summary: summaryOf(town) }
}

function planServers(chance: Random): ServerPlan[] {
  const domains = DOMAINS.slice(0, 2 + chance.below(2))
  const accounts = domains.flatMap(domain => NAMES.map(name => `${name}@${domain}`))
  return domains.map((domain, n) => ({
    domain,
    accounts: NAMES,
    aliases: {
      team: some(chance, 3, accounts),
      all: [`team@${domain}`, ...some(chance, 2, accounts)],
      old: [`nobody@${pick(chance, domains)}`],
    },
    // Small limits are met more often.
    config: {
      ...(chance.below(3) === 0 ? { limits: { acceptQueue: 2 } } : {}),
      // Every other server goes on with what broke off (RFC 1845).
      ...(n % 2 === 0 ? { listeners: { smtp: { with: ['CHECKPOINT'] } } } : {}),
    },
  }))
}

const NOTIFIES: readonly (Notify | undefined)[] = [
  undefined,
  undefined,
  'NEVER',
  ['SUCCESS', 'FAILURE'],
  ['FAILURE', 'DELAY'],
]

function planLetters(chance: Random, town: Town) {
  const addresses = [...town.users.keys()]
  const more = town.servers.flatMap(({ plan: { domain } }) =>
    ['team', 'all', 'old', 'nobody'].map(name => `${name}@${domain}`),
  )
  const count = 3 + chance.below(8)
  return Array.from({ length: count }, (_, n) => {
    const notify = pick(chance, NOTIFIES)
    const letter: Letter = {
      from: pick(chance, addresses),
      to: some(chance, 3, chance.below(2) === 0 ? addresses : [...addresses, ...more]),
      subject: `Letter ${n + 1}`,
      body: planBody(chance),
      ...(notify === undefined ? {} : { notify }),
    }
    let isSent = false
    town.later(chance.below(WEATHER_MS / 2), () => {
      void town
        .user(letter.from)
        .send(letter)
        .then(() => {
          isSent = true
        })
    })
    return { letter, isSent: () => isSent }
  })
}

/** Mostly short; sometimes over what travels in the accept transaction (inbound/intake.ts). */
function planBody(chance: Random): string {
  const octets = chance.below(4) > 0 ? chance.below(2_000) : 100_000 + chance.below(500_000)
  const lines: string[] = []
  for (let size = 0; size < octets; size += 72) {
    lines.push(`${'.'.repeat(chance.below(3))}${size} ${'x'.repeat(60)}`)
  }
  return lines.join('\r\n')
}

function planWeather(chance: Random, town: Town): void {
  const { faults } = town.internet.network
  faults.latencyMs = [1, pick(chance, [5, 50, 400])]
  faults.resetsPerMillion = pick(chance, [0, 0, 1_000, 20_000])
  faults.fate = planFates(chance)
  for (const server of town.servers) {
    planCommits(chance, server)
    for (let n = chance.below(3); n > 0; n--) {
      town.later(chance.below(WEATHER_MS), () => {
        if (!server.isUp) return
        if (chance.below(2) === 0) server.crash()
        else void server.stop().catch(() => server.isUp && server.crash())
      })
    }
    if (chance.below(3) === 0) {
      const ms = (chance.below(20) - 10) * 60_000
      town.later(chance.below(WEATHER_MS), () => server.host.jumpClock(ms))
    }
    during(chance, town, 2, () => {
      const { disk } = server.host
      disk.capacityOctets = 0
      return () => {
        disk.capacityOctets = Number.POSITIVE_INFINITY
      }
    })
    during(chance, town, 2, () => {
      const name = pick(chance, [server.plan.domain, server.name])
      town.internet.zones.fail(name, pick(chance, ['SERVFAIL', 'timeout', 'REFUSED']))
      return () => town.internet.zones.fail(name, undefined)
    })
    during(chance, town, 2, () => {
      const other = pick(chance, town.servers).name
      town.internet.network.part(server.name, other)
      return () => town.internet.network.heal(server.name, other)
    })
  }
}

/** Up to `most` times: something begins, and ends up to an hour later. */
function during(chance: Random, town: Town, most: number, begin: () => () => void): void {
  for (let n = chance.below(most + 1); n > 0; n--) {
    const from = chance.below(WEATHER_MS - HOUR)
    const forMs = chance.below(HOUR)
    town.later(from, () => town.later(forMs, begin()))
  }
}

const COMMIT_FAULTS: readonly MemoryFault[] = [
  { at: 'before commit', how: 'crash' },
  { at: 'after commit', how: 'crash' },
  { at: 'before commit', how: 'full' },
  { at: 'before commit', how: 'busy' },
  { at: 'before commit', how: 'broken' },
  { at: 'after commit', how: 'broken' },
]

function planCommits(chance: Random, server: Town['servers'][number]): void {
  const chosen = new Map<number, MemoryFault>()
  for (let n = chance.below(6); n > 0; n--)
    chosen.set(1 + chance.below(40), pick(chance, COMMIT_FAULTS))
  server.faultAt = commit => chosen.get(commit)
}

/** Fates of segments by the phase of the dialogue they stand in. */
function planFates(chance: Random): ((segment: Segment) => Fate) | undefined {
  const perMille = () => pick(chance, [0, 0, 50, 300])
  const replyLost = perMille()
  const contentCut = perMille()
  const how: Fate = pick(chance, ['reset', 'lose'])
  const dice = seededRandom(`fates ${chance.below(1_000_000)}`)
  return ({ octets, fromClient, port }) => {
    if (port !== 25 && port !== 587) return 'deliver'
    const text = Buffer.from(octets).toString('latin1')
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

/** No fault comes any more, and every machine runs. */
async function clearSky(town: Town): Promise<void> {
  const { network, zones } = town.internet
  network.faults.fate = undefined
  network.faults.resetsPerMillion = 0
  for (const server of town.servers) {
    server.faultAt = undefined
    server.host.disk.capacityOctets = Number.POSITIVE_INFINITY
    zones.fail(server.plan.domain, undefined)
    zones.fail(server.name, undefined)
    for (const other of town.servers) network.heal(server.name, other.name)
  }
  await town.advance('1 hour')
}

function summaryOf(town: Town): string {
  const crashes = town.servers.reduce((sum, server) => sum + server.crashes.length, 0)
  const failures = town.servers.reduce((sum, server) => sum + server.failures.length, 0)
  const commits = town.servers.reduce((sum, server) => sum + server.commits, 0)
  return `${town.servers.length} servers, ${town.tries.length} transactions, ${commits} commits, ${failures} of them failed, ${crashes} crashes`
}

function pick<T>(chance: Random, items: readonly T[]): T {
  return items[chance.below(items.length)] as T
}

/** From one up to `most` different ones. */
function some<T>(chance: Random, most: number, items: readonly T[]): T[] {
  const chosen = new Set<T>()
  for (let n = 1 + chance.below(most); n > 0; n--) chosen.add(pick(chance, items))
  return [...chosen]
}
