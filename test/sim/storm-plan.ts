/**
 * What a storm is to be, before it is lived through: who lives in the town, and a list of parts, each with a
 * name and a chance of its own, so that any of them can be left out and the others stay as they were. Lived
 * through by storm.ts; made smaller by minimise.ts.
 */
import type { Notify } from '../../src/mail/envelope.ts'
import type { Random } from '../../src/world/random.ts'
import { seededRandom } from '../../src/world/sim/index.ts'
import { incidents } from './incidents.ts'
import type { Habit } from './readers.ts'
import type { ServerPlan } from './server.ts'
import type { Town } from './town.ts'
import type { Letter } from './user.ts'

export interface StormOptions {
  readonly seed: number
  /** How long the weather lasts, of virtual time. */
  readonly hours: number
  /** Names of parts that are left out. */
  readonly without?: ReadonlySet<string>
}

/** Something that happens in the weather, at times of its own. */
export interface Part {
  /** 'letter 3', 'a.test crash 1': what stands behind `--without`. */
  readonly name: string
  begin(town: Town): void
}

export interface PlannedLetter {
  readonly name: string
  /** ms after the beginning. */
  readonly at: number
  readonly letter: Letter
}

export interface StormPlan {
  readonly servers: readonly ServerPlan[]
  readonly habits: ReadonlyMap<string, Habit>
  readonly letters: readonly PlannedLetter[]
  readonly parts: readonly Part[]
  /** Names of everything that can be left out and is not. */
  readonly names: readonly string[]
}

export const HOUR = 3_600_000
const DOMAINS = ['a.test', 'b.test', 'c.test'] as const
const NAMES = ['anna', 'bob', 'carol'] as const
const HABITS: readonly Habit[] = ['stays', 'pop3', 'imap', 'moves']

/** Plans the storm of a seed. */
export function planStorm({ seed, hours, without = new Set() }: StormOptions): StormPlan {
  const chanceOf = (name: string) => seededRandom(`storm ${seed} ${name}`)
  const domains = DOMAINS.slice(0, 2 + chanceOf('domains').below(2))
  const kept = domains.filter(domain => !without.has(domain))
  const people = kept.flatMap(domain => NAMES.map(name => `${name}@${domain}`))
  const servers = kept.map(domain => planServer(chanceOf(domain), domain, domains, without))
  const habits = new Map(people.map(user => [user, pick(chanceOf(`habit ${user}`), HABITS)]))
  const isKept = ({ name }: { readonly name: string }) => !without.has(name)
  const letters = planLetters(chanceOf, hours, domains)
    .filter(isKept)
    .map(planned => within(planned, people))
    .filter(({ letter }) => people.includes(letter.from) && letter.to.length > 0)
  const parts = incidents(chanceOf, hours, servers).filter(isKept)
  const second = servers.filter(({ nodes }) => nodes === 2).map(({ domain }) => `${domain} second`)
  const names = [...kept, ...second, ...[...letters, ...parts].map(({ name }) => name)]
  return { servers, habits, letters, parts, names }
}

function planServer(
  chance: Random,
  domain: string,
  domains: readonly string[],
  without: ReadonlySet<string>,
): ServerPlan {
  const accounts = domains.flatMap(one => NAMES.map(name => `${name}@${one}`))
  const among = (all: readonly string[]) => all.filter(a => !without.has(a.split('@')[1] ?? ''))
  const aliases = {
    team: among(some(chance, 3, accounts)),
    all: [`team@${domain}`, ...among(some(chance, 2, accounts))],
    old: [`nobody@${domain}`],
  }
  // Two nodes on one store, every third time; bodies in the database or on a disk that both see.
  const shared = chance.below(3) === 0
  const inDatabase = chance.below(2) === 0
  const small = chance.below(3) === 0
  const checkpoint = chance.below(2) === 0
  const two = shared && !without.has(`${domain} second`)
  return {
    domain,
    accounts: NAMES,
    aliases: Object.fromEntries(Object.entries(aliases).filter(([, to]) => to.length > 0)),
    ...(two ? { nodes: 2 } : {}),
    pollMs: HOUR,
    config: {
      bodies: { in: inDatabase ? 'database' : 'directory' },
      // Small limits are met more often.
      ...(small ? { limits: { acceptQueue: 2 } } : {}),
      // Some servers go on with what broke off (RFC 1845).
      ...(checkpoint ? { listeners: { smtp: { with: ['CHECKPOINT'] } } } : {}),
    },
  }
}

const NOTIFIES: readonly (Notify | undefined)[] = [
  undefined,
  undefined,
  'NEVER',
  ['SUCCESS', 'FAILURE'],
  ['FAILURE', 'DELAY'],
]

function planLetters(
  chanceOf: (name: string) => Random,
  hours: number,
  domains: readonly string[],
): PlannedLetter[] {
  const addresses = domains.flatMap(domain => NAMES.map(name => `${name}@${domain}`))
  const special = ['team', 'all', 'old', 'nobody']
  const more = [...addresses, ...domains.flatMap(d => special.map(name => `${name}@${d}`))]
  const count = Math.ceil(((3 + chanceOf('letters').below(8)) * hours) / 6)
  return Array.from({ length: count }, (_, n) => {
    const name = `letter ${n + 1}`
    const chance = chanceOf(name)
    const notify = pick(chance, NOTIFIES)
    const letter: Letter = {
      from: pick(chance, addresses),
      to: some(chance, 3, chance.below(2) === 0 ? addresses : more),
      subject: `Letter ${n + 1}`,
      body: planBody(chance),
      ...(notify === undefined ? {} : { notify }),
    }
    // Every fourth comes when the sky is clear again: nothing may hang on what the weather left behind.
    const at = chance.below(4) === 0 ? hours * HOUR + 2 * HOUR : chance.below(hours * HOUR)
    return { name, at, letter }
  })
}

/** Mostly short; sometimes over what travels in the accept transaction (inbound/intake.ts). */
function planBody(chance: Random): string {
  const octets = chance.below(4) > 0 ? chance.below(2_000) : 100_000 + chance.below(800_000)
  const lines: string[] = []
  for (let size = 0; size < octets; size += 72) {
    lines.push(`${'.'.repeat(chance.below(3))}${size} ${'x'.repeat(60)}`)
  }
  return lines.join('\r\n')
}

/** A letter to those only who live in the town. */
function within(planned: PlannedLetter, people: readonly string[]): PlannedLetter {
  const domains = new Set(people.map(address => address.split('@')[1]))
  const to = planned.letter.to.filter(address => domains.has(address.split('@')[1]))
  return { ...planned, letter: { ...planned.letter, to } }
}

export function pick<T>(chance: Random, items: readonly T[]): T {
  return items[chance.below(items.length)] as T
}

/** From one up to `most` different ones. */
function some<T>(chance: Random, most: number, items: readonly T[]): T[] {
  const chosen = new Set<T>()
  for (let n = 1 + chance.below(most); n > 0; n--) chosen.add(pick(chance, items))
  return [...chosen]
}
