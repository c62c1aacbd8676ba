/**
 * A simulated internet: hosts with their worlds, one DNS, one network, one virtual time, and the
 * faults that a test or a seed puts into them. A town of servers runs in one process and one run can
 * be had again by its seed. Only tests use it, ours and those of people who embed Postrider.
 */
import type { Clock } from '../clock.ts'
import type { Facts, Log } from '../log.ts'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { type DiskHost, SimDisk } from './disk.ts'
import { simDns, Zones } from './dns.ts'
import { SimFiles } from './files.ts'
import { Network, type Site } from './net.ts'
import { SimPrograms } from './programs.ts'
import { seededRandom } from './random.ts'
import { simStretch } from './stretch.ts'
import { type Life, Timeline } from './timeline.ts'

export interface WorldOptions {
  /** The same seed gives the same run. */
  readonly seed: string | number
  /** Virtual time at the start, ms since the epoch. Default: 2030-01-01T00:00:00Z. */
  readonly startMs?: number
  /** True while real asynchronous work is under way; time stands still meanwhile. */
  readonly isPending?: () => boolean
  /** Told of every event in the order in which they happen. */
  readonly trace?: (line: string) => void
}

export interface LogLine {
  readonly at: number
  readonly host: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly facts: Facts
}

/** ms, or text such as '90s', '5 minutes', '4 days'. */
export type Duration = number | string

/** A machine: it crashes and starts again, and only its disk stays. */
export interface Host {
  readonly name: string
  readonly addresses: readonly string[]
  /** The world of its present life. */
  readonly world: World
  readonly disk: SimDisk
  readonly files: SimFiles
  /** What of it outlives a crash is its programs' own affair. */
  readonly programs: SimPrograms
  /**
   * Ends this life at once: timers, look-ups, writes and connections of it are no more. Its peers
   * meet resets, or silence.
   */
  crash(peersMeet?: 'resets' | 'silence'): void
  /** Starts a new life with the same disk; ends the old one if it still runs. */
  restart(): World
  /** Sets the wall clock forward or back; monotonic time does not notice. */
  jumpClock(ms: number): void
}

export interface HostFacts {
  readonly name: string
  readonly addresses: readonly string[]
  /** The disk of another host, which both read and write; its own if not given. */
  readonly disk?: SimDisk
}

type Kept = Pick<Host, 'disk' | 'files' | 'programs'>

const EPOCH_2030 = 1_893_456_000_000

/** Makes an internet with nobody in it. */
export function createWorld(options: WorldOptions): Internet {
  return new Internet(options)
}

export class Internet {
  readonly log: LogLine[] = []
  readonly zones = new Zones()
  readonly network: Network
  /** Chance for the test's own use; taking from it changes nothing else. */
  readonly random: Random
  readonly #timeline: Timeline
  readonly #seed: string
  readonly #latency: Random

  constructor(options: WorldOptions) {
    this.#seed = String(options.seed)
    this.random = seededRandom(`${this.#seed} test`)
    this.#latency = seededRandom(`${this.#seed} latency`)
    this.#timeline = new Timeline(options.startMs ?? EPOCH_2030, options.isPending, options.trace)
    this.network = new Network(this.#timeline, seededRandom(`${this.#seed} network`))
  }

  /** Virtual time, ms since the epoch. */
  get now(): number {
    return this.#timeline.now
  }

  /** Adds a host; its name gets A, AAAA and PTR records. */
  host(facts: HostFacts): Host {
    const { name, addresses } = facts
    this.zones.set(name, {
      a: addresses.filter(address => !address.includes(':')),
      aaaa: addresses.filter(address => address.includes(':')),
    })
    for (const address of addresses) this.zones.set(address, { ptr: [name] })
    const site: Site = { name, addresses, life: { alive: true }, down: 'no' }
    this.network.add(site)
    const disk = facts.disk ?? new SimDisk(seededRandom(`${this.#seed} disk ${name}`))
    const files = new SimFiles(seededRandom(`${this.#seed} files ${name}`))
    const programs = new SimPrograms()
    const kept = { disk, files, programs }
    const wall = { offsetMs: 0 }
    let lives = 1
    let world = this.#world(site, kept, wall, lives)
    const crash = (peersMeet: 'resets' | 'silence' = 'resets') => {
      if (!site.life.alive) return
      site.life.alive = false
      site.down = peersMeet === 'resets' ? 'refuses' : 'silent'
      this.network.crashed(site)
      disk.crashed()
      files.crashed()
    }
    return {
      name,
      addresses,
      disk,
      files,
      programs,
      get world() {
        return world
      },
      crash,
      restart: () => {
        crash()
        site.life = { alive: true }
        site.down = 'no'
        lives += 1
        world = this.#world(site, kept, wall, lives)
        return world
      },
      jumpClock: ms => {
        wall.offsetMs += ms
      },
    }
  }

  /** Lets this much virtual time pass. */
  async advance(duration: Duration): Promise<void> {
    const untilMs = this.now + durationMs(duration)
    await this.#timeline.rest()
    while (await this.#timeline.step(untilMs)) {}
    this.#timeline.now = untilMs
  }

  /** Runs until the condition holds; throws when it does not within the given time. */
  async run(until: () => boolean, within: Duration = '10 days'): Promise<void> {
    const limitMs = this.now + durationMs(within)
    await this.#timeline.rest()
    while (!until()) {
      if (!(await this.#timeline.step(limitMs))) {
        throw new Error(`it did not happen within ${within} of virtual time`)
      }
    }
  }

  /** Runs until a promise has settled, and gives its value. */
  async complete<T>(promise: Promise<T>, within: Duration = '10 days'): Promise<T> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    await this.run(() => isSettled, within)
    return promise
  }

  /** Runs until nothing is under way: no segment, look-up or write. Timers are not awaited. */
  async settle(within: Duration = '1 hour'): Promise<void> {
    await this.#timeline.rest()
    await this.run(() => !this.#timeline.hasTraffic, within)
  }

  /** Time stands still until this real work (hashing in a thread, say) is done. */
  hold<T>(work: Promise<T>): Promise<T> {
    return this.#timeline.hold(work)
  }

  #world(site: Site, kept: Kept, wall: { readonly offsetMs: number }, lives: number): World {
    const { life, name } = site
    const timeline = this.#timeline
    const started = timeline.now
    const clock: Clock = {
      now: () => timeline.now + wall.offsetMs,
      monotonic: () => timeline.now - started,
      after: (delayMs, run) => ({
        cancel: timeline.plan('timer', delayMs, life, `${name} timer`, run),
      }),
    }
    // The promises of a life that is over never settle: nothing of it runs any more.
    const later = <T>(label: string, takesMs: number, run: () => T) =>
      new Promise<T>((resolve, reject) => {
        timeline.plan('traffic', takesMs, life, `${name} ${label}`, () => {
          try {
            resolve(run())
          } catch (error) {
            reject(error)
          }
        })
      })
    const host: DiskHost = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      alive: () => life.alive,
      later: (label, run) => later(label, 1, run),
    }
    return {
      clock,
      random: seededRandom(`${this.#seed} ${name} ${lives}`),
      net: this.network.netFor(site),
      dns: simDns(this.zones, (label, takesMs, answer) =>
        later(label, takesMs ?? 1 + this.#latency.below(40), answer),
      ),
      disk: kept.disk.mount(host),
      files: kept.files.mount(host),
      programs: kept.programs.mount(host, takesMs => later('program', takesMs, () => {})),
      log: this.#log(life, name, clock, {}),
      stretch: simStretch,
    }
  }

  #log(life: Life, host: string, clock: Clock, common: Facts): Log {
    const line =
      (level: LogLine['level']) =>
      (event: string, facts: Facts = {}) => {
        if (!life.alive) return
        this.log.push({ at: clock.now(), host, level, event, facts: { ...common, ...facts } })
      }
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      with: facts => this.#log(life, host, clock, { ...common, ...facts }),
    }
  }
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  second: 1000,
  m: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
}

/** Reads '90s', '5 minutes', '4 days'; throws on anything else. */
export function durationMs(duration: Duration): number {
  if (typeof duration === 'number') return duration
  const [, amount, unit = ''] = /^(\d{1,9}) ?([a-z]{1,7})$/.exec(duration) ?? []
  const ms = UNITS[unit] ?? UNITS[unit.replace(/s$/, '')]
  if (amount === undefined || ms === undefined) throw new Error(`no duration: ${duration}`)
  return Number(amount) * ms
}
