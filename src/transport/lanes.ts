/**
 * Who may go now, and who waits in which lane (queue/lane.ts): the worker asks it for each load, and tells it
 * how loads end. It parks what may not go, gives rows back to the worker as room comes, sends one probe to
 * what is down, and keeps the store's row of each destination true.
 */
import { enhancedCode } from '../mail/status.ts'
import type { Claimed } from '../queue/claim.ts'
import {
  claimLane,
  claimProbe,
  forgetLanes,
  type LaneCursor,
  type LaneRow,
  laneDown,
  lanesChanged,
  laneUp,
  type Parking,
  park,
  readyLanes,
  renewProbes,
  resumeLane,
  suspendLane,
  type Upcoming,
} from '../queue/lane.ts'
import { isRemote, routeKey } from '../route/route.ts'
import { domainLane, type Gates, type Wait } from '../shape/gates.ts'
import type { Limits } from '../shape/limits.ts'
import { type Aim, ruleLane, suspensionFor } from '../shape/rule.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world/world.ts'
import { Grants } from './grants.ts'
import type { Job } from './job.ts'
import type { Places } from './places.ts'
import type { Carried } from './transport.ts'

/** What may have to wait: a job, or what one will be. */
type Going = Pick<Job, 'route' | 'destination' | 'from'> & { readonly domain?: string | undefined }

export interface LanesOptions {
  readonly world: World
  readonly store: Store
  readonly node: string
  readonly leaseMs: number
  readonly gates: Gates
  readonly limits: Limits
  readonly places: Places
  /** How long after a failure the first probe goes, and the longest wait between two. */
  readonly probes: () => { readonly firstMs: number; readonly mostMs: number }
  /** Carries rows that were leased from a lane. */
  readonly take: (rows: readonly Claimed[], leasedMs: number, lane: string) => Promise<void>
  /** In how many ms a row must be looked at though it waits. */
  readonly wordIn: (job: Job, row: Job['rows'][number]) => number
  /** Asks to be called again in so many ms. */
  readonly lookIn: (ms: number) => void
  /** Other nodes may wait for what has changed. */
  readonly tell: () => void
}

const [ROWS, LOOK_MS] = [200, 1000]
const [LANES, CHANGES] = [100, 1000]
const [FORGET_MS, PROBE_MS] = [300_000, 90_000]
const REASON_MAX = 500
const OVERDUE_MS = 60_000
/** Commits may become visible a little out of their order. */
const BACK_MS = 5_000
/** Loads of one destination in memory, for each that may be under way. */
const AHEAD = 10
const BEGIN: LaneCursor = { untilAt: -1, name: '' }
const CROWD = { status: '4.4.5', reason: 'much mail is on its way already; it waits its turn' }

export class Lanes {
  readonly #options: LanesOptions
  /** Lanes that may have rows, and that the end of one of their loads may empty. */
  readonly #laned = new Set<string>()
  readonly #draining = new Set<string>()
  readonly #probes = new Set<string>()
  readonly #grants: Grants
  #parkings: Parking[] = []
  #cursor = BEGIN
  #claims = 0
  #changedAt = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #forgotMs = 0

  constructor(options: LanesOptions) {
    this.#options = options
    this.#grants = new Grants({
      ...options,
      drain: name => this.#drain(name),
      wanted: name => this.#laned.has(name),
    })
  }

  /**
   * Why a load may not go now. Behind those that wait already is its place, unless it comes from that very
   * lane.
   */
  wait({ route, destination, from, domain }: Going, lane?: string): Wait | undefined {
    const { gates } = this.#options
    if (destination === lane && this.#probes.has(lane)) return undefined
    return (
      gates.wait(destination) ??
      (isRemote(route) ? this.#limited({ route, domain }, lane) : undefined) ??
      (domain === undefined ? undefined : gates.wait(domainLane(domain))) ??
      this.#crowded(destination, lane) ??
      this.#crowded(from, lane)
    )
  }

  /** As `wait`, of what is just being born: only where the lane is sure to be looked at. */
  berth(going: Omit<Going, 'destination'>): Wait | 'queue' | undefined {
    const wait = this.wait({ ...going, destination: routeKey(going.route) })
    if (wait === undefined) return undefined
    const { gates, places } = this.#options
    const { lane } = wait
    const sure = gates.opensIn(lane) !== undefined || places.of(lane) > 0 || this.#grants.has(lane)
    return sure ? wait : 'queue'
  }

  /** Whether it is time to probe a lane: it is closed, its time has come, and no probe of ours is under way. */
  isDue(lane: string): boolean {
    const { gates } = this.#options
    return gates.closed(lane) && gates.opensIn(lane) === undefined && !this.#probes.has(lane)
  }

  /** Makes a load in our hands the probe, if no other node has sent one. Never rejects. */
  async probe(lane: string): Promise<boolean> {
    const { gates, store, world } = this.#options
    this.#probes.add(lane)
    const won = await store
      .write(claimProbe, { lane, probeMs: PROBE_MS })
      .catch((error: unknown) => world.log.warn('queue.lane', { lane, error: String(error) }))
    if (won) gates.probe(lane)
    else this.#probes.delete(lane)
    return won === true
  }

  /** Whether the sender of a load that waits is to hear of it now. */
  tells(job: Job): boolean {
    return job.rows.some(row => this.#options.wordIn(job, row) <= 0)
  }

  /** Puts a leased load into its lane; never rejects: a lease that is not given back ends by itself. */
  park(job: Job, { lane, status, reason }: Wait): void {
    const rows = job.rows.map(row => {
      const wordIn = this.#options.wordIn(job, row)
      // What is overdue waits for the probe that comes now.
      return { messageId: job.message.id, n: row.n, forMs: wordIn > 0 ? wordIn : OVERDUE_MS }
    })
    if (this.#parkings.push({ lane, status, reason, rows }) === 1) {
      queueMicrotask(() => void this.#parkAll())
    }
  }

  /** What a load that has ended says of its destination. */
  learn({ destination, route, domain }: Job, carried: Carried): void {
    const { gates, world } = this.#options
    const { reach, waits } = carried
    if (isRemote(route)) this.#heed({ route, domain }, carried)
    const turn = waits ? gates.withdrew(destination) : gates.ended(destination, reach)
    if (waits || turn !== undefined) this.#probes.delete(destination)
    if (turn?.kind === 'down' && reach !== undefined && reach.kind !== 'up') {
      void this.#down(destination, turn.probe, reach)
    } else if (turn?.kind === 'up') {
      world.log.info('destination', { destination, state: 'up' })
      void this.#up(destination)
    }
  }

  /** Places are free again: who waited for them goes on. */
  left(destination: string, from: string): void {
    if (this.#laned.has(destination)) this.#drain(destination)
    if (this.#laned.has(from)) this.#drain(from)
  }

  /** Looks at lanes, if there are any; gives in how many ms to look again. */
  async look({ lane_in, ready, changed }: Upcoming): Promise<number> {
    const { world, store } = this.#options
    const now = world.clock.monotonic()
    if (changed === null) return Number.POSITIVE_INFINITY
    if (changed > this.#changedAt) await this.refresh()
    if (lane_in === null && ready === null) return FORGET_MS
    const waitMs = this.#lookedMs + LOOK_MS - now
    if (waitMs > 0) return Math.min(waitMs, lane_in ?? waitMs)
    this.#lookedMs = now
    if (ready !== null) {
      const after = this.#cursor
      const lanes = await store.read(readyLanes, { after, limit: LANES })
      const last = lanes.at(-1)
      const more = last !== undefined && lanes.length === LANES
      this.#cursor = more ? { untilAt: last.until_at, name: last.name } : BEGIN
      await Promise.all(lanes.map(lane => this.#serve(lane)))
    }
    if (this.#forgotMs + FORGET_MS < now) {
      this.#forgotMs = now
      await store.write(forgetLanes, null)
    }
    return Math.min(lane_in ?? Number.POSITIVE_INFINITY, ready === null ? FORGET_MS : LOOK_MS)
  }

  /** No other node sends a probe while ours is under way. */
  async renew(): Promise<void> {
    if (this.#probes.size === 0) return
    await this.#options.store.write(renewProbes, { names: [...this.#probes], probeMs: PROBE_MS })
  }

  /** A reply that asks us to stop for a while. */
  #heed(aim: Aim, { outcomes, partings = [] }: Carried): void {
    const deferrals = outcomes.flatMap(({ kind, reply }) => (kind === 'deferred' && reply) || [])
    if (deferrals.length + partings.length === 0) return
    const { gates, limits } = this.#options
    for (const rule of limits.rulesOf(aim)) {
      if (gates.closed(ruleLane(rule))) continue
      for (const reply of [...deferrals, ...partings]) {
        const known = suspensionFor(rule, reply)
        if (known === undefined) continue
        const reason = `"${rule.name}" asked for a pause: ${reply.code} ${reply.lines.join(' ')}`
        const status = (enhancedCode(reply) ?? '4.7.0').replace(/^5/, '4')
        void this.suspend(ruleLane(rule), known.forMs, status, reason.slice(0, REASON_MAX))
        break
      }
    }
  }

  /** Nothing goes to a destination, or to those of a rule, before then. */
  async suspend(name: string, forMs: number, status: string, reason: string): Promise<void> {
    const { lookIn, store, tell, world } = this.#options
    try {
      const row = await store.write(suspendLane, { name, forMs, status, reason })
      if (row) this.#told(row)
      world.log.warn('destination', { destination: name, state: 'suspended', reason })
      lookIn(forMs)
      tell()
    } catch (error) {
      world.log.warn('queue.lane', { lane: name, error: String(error) })
    }
  }

  /** How a lane stands; what a rule holds up from now on does not wait in memory. */
  #told(row: LaneRow): void {
    const { gates, limits } = this.#options
    const wasClosed = gates.closed(row.name)
    gates.told(row)
    if (wasClosed || !gates.closed(row.name)) return
    for (const gate of limits.heldBy(row.name)) gates.holdUp(gate)
  }

  #limited(aim: Aim, lane: string | undefined): Wait | undefined {
    const { limits } = this.#options
    for (const name of limits.lanesOf(aim)) {
      if (name !== lane && this.#laned.has(name)) return limits.behind(aim, name)
    }
    return limits.wait(aim)
  }

  #crowded(party: string, lane: string | undefined): Wait | undefined {
    const { places } = this.#options
    const behind = party !== lane && this.#laned.has(party) && places.of(party) > 0
    return behind || places.room(party) < 1 ? { lane: party, ...CROWD } : undefined
  }

  async #parkAll(): Promise<void> {
    const parkings = this.#parkings
    this.#parkings = []
    const { gates, node, places, store, world } = this.#options
    const names = new Set(parkings.map(({ lane }) => lane))
    // Whose end it is that lets them go on must know of them before it comes.
    for (const name of names) if (gates.opensIn(name) === undefined) this.#laned.add(name)
    try {
      await store.write(park, { node, parkings })
    } catch (error) {
      world.log.warn('queue.park', { error: String(error) })
    }
    for (const name of names) {
      // Its time may have come while the rows were on their way into it: nobody looked at them then.
      const ms = gates.opensIn(name) ?? (this.isDue(name) ? 0 : undefined)
      if (ms !== undefined) this.#options.lookIn(ms)
      else if (this.#options.limits.batch(name)) this.#grants.begin(name)
      else if (places.of(name) === 0) this.#drain(name)
    }
  }

  /** Begins what a lane has, as many as there is room for; each end of one of them looks again. */
  #drain(name: string): void {
    if (this.#draining.has(name)) return
    const limit = this.#room(name)
    const { places } = this.#options
    // Few rows at a time cost as much as many.
    if (limit < 1 || limit < places.of(name) >> 2) return
    this.#draining.add(name)
    this.#claim(name, limit).then(
      rows => {
        this.#draining.delete(name)
        if (rows < limit) this.#laned.delete(name)
        else if (this.#grants.has(name)) return
        // Those that went on to other lanes have left room.
        else if (places.of(name) === 0) this.#drain(name)
      },
      (error: unknown) => {
        this.#draining.delete(name)
        this.#options.world.log.error('queue.lane', { lane: name, error: String(error) })
      },
    )
  }

  #room(name: string): number {
    const { gates, limits, places } = this.#options
    if (gates.wait(name) !== undefined || limits.bars(name)) return 0
    if (limits.batch(name) !== undefined) return Math.min(limits.tokens(name), places.free)
    const ahead = gates.knows(name) ? gates.connections(name) * AHEAD - places.of(name) : ROWS
    return Math.min(ROWS, places.room(name), ahead)
  }

  async #claim(lane: string, limit: number, probeMs?: number): Promise<number> {
    const { leaseMs, node, store, take, world } = this.#options
    const leasedMs = world.clock.monotonic()
    const rows = await store.write(claimLane, {
      ...{ node, leaseMs, limit, lane },
      ...(probeMs !== undefined && { probeMs }),
      // Not every probe is made with the same message, and who came last does not wait for all others.
      newest: probeMs === undefined ? ++this.#claims % 4 === 0 : world.random.below(2) === 0,
    })
    if (probeMs !== undefined && rows.length > 0) {
      this.#probes.add(lane)
      this.#options.gates.probe(lane)
    }
    return take(rows, leasedMs, lane).then(() => rows.length)
  }

  /** A lane whose time has come. */
  async #serve({ name, state }: LaneRow): Promise<void> {
    if (state === 'suspended') {
      if (await this.#options.store.write(resumeLane, { name, now: false })) this.#reopen(name)
      return
    }
    if (state === 'open') {
      this.#laned.add(name)
      if (this.#options.limits.batch(name)) this.#grants.begin(name)
      else this.#drain(name)
      return
    }
    const rows = await this.#claim(name, 1, PROBE_MS)
    if (rows === 0 || !this.#options.gates.unprobe(name)) return
    // Its row has another way to go by now; so may the others.
    this.#probes.delete(name)
    await this.#up(name)
  }

  async #down(
    name: string,
    probe: boolean,
    { status, reason }: { readonly status: string; readonly reason: string },
  ): Promise<void> {
    const { gates, lookIn, probes, store, tell, world } = this.#options
    const spread = world.random.below(100)
    try {
      const row = await store.write(laneDown, { name, probe, spread, status, reason, ...probes() })
      if (!row) return
      gates.told(row)
      world.log.info('destination', { destination: name, state: 'down', reason })
      this.#laned.delete(name)
      lookIn(row.until_in)
      tell()
    } catch (error) {
      world.log.warn('queue.lane', { lane: name, error: String(error) })
    }
  }

  async #up(name: string): Promise<void> {
    const { store, world } = this.#options
    try {
      await store.write(laneUp, name)
      this.#reopen(name)
    } catch (error) {
      world.log.warn('queue.lane', { lane: name, error: String(error) })
    }
  }

  #reopen(name: string): void {
    this.#options.gates.up(name)
    this.#laned.add(name)
    this.#drain(name)
    this.#options.tell()
  }

  /** What other nodes, and lives before ours, have found out or were told. */
  async refresh(): Promise<void> {
    const { store } = this.#options
    let after = { changedAt: this.#changedAt - BACK_MS, name: '' }
    for (;;) {
      const rows = await store.read(lanesChanged, { after, limit: CHANGES })
      for (const row of rows) {
        this.#told(row)
        after = { changedAt: row.changed_at, name: row.name }
      }
      this.#changedAt = Math.max(this.#changedAt, after.changedAt)
      if (rows.length < CHANGES) return
    }
  }
}
