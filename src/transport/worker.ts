/**
 * The worker: claims what is due, routes it, has a transport carry it, and settles the outcome. What this node has just
 * accepted is born leased to it and starts without a claim; everything else is found by polling, which a wake-up only hastens.
 * Memory is bounded by `jobsMax`: beyond it, accepted mail stays in the store until a place is free. What may not go yet, since
 * its destination is down or has its share of the places, waits in a lane (lanes.ts) and holds nobody up.
 */
import type { Acceptance } from '../queue/acceptance.ts'
import { type AskedInput, type Claimed, claim, claimAsked, LEASE_MS } from '../queue/claim.ts'
import { reopenLanes, upcoming } from '../queue/lane.ts'
import type { RestingNotice } from '../queue/notice.ts'
import { type QueuedMessage, queuedMessage } from '../queue/reader.ts'
import { type Berth, type Birth, queuedMessageOf, queueTopic } from '../queue/spool.ts'
import { giveBack, recover } from '../queue/writer.ts'
import type { Route } from '../route/route.ts'
import type { Gates, Wait } from '../shape/gates.ts'
import type { Limits } from '../shape/limits.ts'
import { everything, type Store } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import type { Lending } from '../wire/lending.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import { InHand } from './in-hand.ts'
import { type Departure, fromKey, type Job, type JobRow, jobsOf, makeJob, rowOf } from './job.ts'
import { Lanes } from './lanes.ts'
import { type Content, Newborns } from './newborns.ts'
import { Places } from './places.ts'
import { settleSurely } from './settle-surely.ts'
import { lifetimeOf, type Settler } from './settler.ts'
import { apartOf } from './told-apart.ts'
import type { Carried, Transport } from './transport.ts'
import { barred, broken, taken, untried } from './uncarried.ts'

export interface WorkerOptions {
  readonly world: World
  readonly store: Store
  /** This life of this node; leases carry it. */
  readonly node: string
  /** Where a recipient goes; never rejects. */
  readonly route: (message: QueuedMessage, row: JobRow) => Route | Promise<Route>
  /** The route it takes as far as its address alone tells: under this key jobs are counted at birth. */
  readonly usualRoute: (address: string) => Route
  readonly transports: Readonly<Record<Route['kind'], Transport>>
  /** How a copy leaves, where that is not as its message came. */
  readonly departure: (message: QueuedMessage, row: JobRow, route: Route) => Departure | undefined
  readonly content: (message: QueuedMessage) => Source
  readonly settler: Settler
  /** What is known of destinations; the transports know it too. */
  readonly gates: Gates
  /** What the rules of shaping allow. */
  readonly limits: Limits
  /** How long after a failure a destination is probed first, and the longest wait between two probes. */
  readonly probes: () => { readonly firstMs: number; readonly mostMs: number }
  /** Jobs in memory at once. */
  readonly jobsMax: number
  /** How long nothing is looked for where nothing is known to be due; 20 s if not given. */
  readonly pollMs?: number
}

const CLAIM_ROWS = 200
/** What falls due one by one is claimed together: so long after a claim there is no other for its sake. */
const TOGETHER_MS = 100
const QUEUED: Berth = {}

export class Worker {
  readonly #options: WorkerOptions
  readonly #jobs: InHand
  readonly #places: Places
  readonly #lanes: Lanes
  readonly #newborns = new Newborns()
  readonly #pollMs: number
  #claiming = false
  #again = false
  #stopped = false
  #timer: Timer | undefined
  #timerAt = 0
  /** When (monotonic ms) something was claimed last. */
  #claimedMs = Number.NEGATIVE_INFINITY
  #idle: (() => void) | undefined
  #unlisten: (() => void) | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    const { gates, jobsMax, limits, node, probes, settler, store, world } = options
    this.#pollMs = options.pollMs ?? 20_000
    this.#places = new Places(jobsMax)
    this.#lanes = new Lanes({
      ...{ gates, limits, node, probes, store, world },
      places: this.#places,
      leaseMs: LEASE_MS,
      take: (rows, leasedMs, lane) => this.#take(rows, leasedMs, lane),
      wordIn: (job, row) => settler.wordIn(row.address, lifetimeOf(job.message), row.warnedAt),
      lookIn: ms => this.#lookIn(ms),
      tell: () => store.wake(queueTopic),
    })
    this.#jobs = new InHand({
      node,
      store,
      world,
      leaseMs: LEASE_MS,
      also: () => this.#lanes.renew(),
    })
  }

  get node(): string {
    return this.#options.node
  }

  /** What is known of destinations, and what the rules allow. */
  get shape(): Pick<WorkerOptions, 'gates' | 'limits'> {
    return this.#options
  }

  /** How long word of a message in our hands may wait for more. */
  get restMs(): number {
    return this.#options.settler.restMs
  }

  /** Loads being carried. */
  get size(): number {
    return this.#jobs.size
  }

  /**
   * Takes over what a dead predecessor held, where nobody else can hold anything, then works. Leases of a
   * dead node among several end by themselves.
   */
  async start(): Promise<void> {
    const { store } = this.#options
    this.#unlisten = store.onWake(topic => {
      if (topic === queueTopic || topic === everything) this.wake()
    })
    if (store.alone) await store.write(recover, null)
    await this.#lanes.refresh()
    this.wake()
  }

  /** Where mail accepted now for this address waits: in our hands, in a lane, or in the queue. */
  berth(address: string, { accountId, reversePath, life }: Birth): Berth {
    if (this.#stopped || this.#places.free < 1) return QUEUED
    const { limits, usualRoute, world } = this.#options
    const route = usualRoute(address)
    const from = fromKey(accountId, reversePath)
    const wait = this.#lanes.berth({ route, from, domain: apartOf(limits, address, route) })
    const sinceMs = world.clock.monotonic()
    if (wait === undefined) return { lease: { by: this.node, leaseMs: LEASE_MS, sinceMs } }
    if (wait === 'queue') return QUEUED
    const { lane: name, status, reason } = wait
    const forMs = Math.max(0, this.#options.settler.wordIn(address, life, null))
    return { lane: { name, status, reason, forMs } }
  }

  /** Connections to hosts that do not answer: their loads take nobody's place. */
  stalled(connections: number): void {
    const full = this.#places.free < 1
    this.#places.stalled = connections
    if (full && this.#places.free > 0) this.wake()
  }

  /** Routes may have changed: what waits for a destination that is down may have another way now. */
  async reroute(): Promise<void> {
    const { store, world } = this.#options
    try {
      if ((await store.write(reopenLanes, null)) > 0) store.wake(queueTopic)
    } catch (error) {
      world.log.warn('queue.lane', { error: String(error) })
    }
  }

  /** How many loads of a message are being carried. */
  inHand(messageId: string): number {
    return this.#jobs.of(messageId)
  }

  /** A message was accepted; the rows that were born leased to us begin. */
  born(acceptance: Acceptance, told?: RestingNotice, lending?: Lending): void {
    if (told !== undefined) this.#options.settler.rests(acceptance.id, told)
    const { content } = this.#options
    const message = queuedMessageOf(acceptance)
    const rows: JobRow[] = []
    for (const [n, r] of acceptance.recipients.entries()) {
      if (r.lease) rows.push({ n, ...r, attempts: 0, warnedAt: null, leasedMs: r.lease.sinceMs })
    }
    const kept = this.#newborns.keep(acceptance, () => content(message), lending)
    void this.#begin(message, rows, kept)
  }

  /**
   * Leases what waits for some domains and has it carried this one way, whatever its usual route; resolves
   * when all of it is settled, with what came of each load and where the next claim begins.
   */
  async carryAsked(
    asked: Pick<AskedInput, 'domains' | 'after' | 'limit'>,
    way: { readonly route: Route; readonly transport: Transport },
  ): Promise<{ readonly carried: readonly Carried[]; readonly after?: AskedInput['after'] }> {
    if (this.#stopped) return { carried: [] }
    const { store, world } = this.#options
    const leasedMs = world.clock.monotonic()
    const rows = await store.write(claimAsked, { ...asked, node: this.node, leaseMs: LEASE_MS })
    const last = rows.at(-1)
    if (last === undefined) return { carried: [] }
    const loads = [...Map.groupBy(rows, row => row.message_id)].map(async ([id, mine]) => {
      const message = await store.read(queuedMessage, id)
      if (message === undefined) return undefined
      const content = { octets: () => this.#options.content(message) }
      const leased = mine.map(row => rowOf(row, leasedMs))
      return this.#run(makeJob(message, leased, way.route, content), way.transport)
    })
    const carried = (await Promise.all(loads)).filter(one => one !== undefined)
    return { carried, after: { messageId: last.message_id, n: last.n } }
  }

  /** Something may be due. */
  wake(): void {
    if (this.#stopped) return
    if (this.#claiming) {
      this.#again = true
      return
    }
    this.#claiming = true
    this.#claim().then(
      dueAt => this.#rest(dueAt),
      error => {
        this.#options.world.log.error('queue.claim', { error: String(error) })
        this.#rest(this.#options.world.clock.now() + this.#pollMs)
      },
    )
  }

  /** Claims nothing more, waits for what is under way at most `graceMs`, gives the rest back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    this.#unlisten?.()
    this.#timer?.cancel()
    this.#jobs.stop()
    this.#options.settler.hurry()
    const transports = [...new Set(Object.values(this.#options.transports))]
    for (const transport of transports) transport.recall?.()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    const grace = this.#options.world.clock.after(graceMs, resolve)
    if (this.#jobs.size > 0) await promise
    grace.cancel()
    await Promise.all(transports.map(transport => transport.close()))
    const given = await this.#options.store.write(giveBack, { node: this.node })
    if (given > 0) this.#options.store.wake(queueTopic)
  }

  /** Claims until nothing is due or memory is full; says when to look again. */
  async #claim(): Promise<number> {
    const { store, world } = this.#options
    const poll = () => world.clock.now() + this.#pollMs
    for (;;) {
      this.#again = false
      const limit = Math.min(CLAIM_ROWS, this.#places.free)
      if (this.#stopped || limit <= 0) return poll()
      const leasedMs = world.clock.monotonic()
      const rows = await store.write(claim, { node: this.node, leaseMs: LEASE_MS, limit })
      if (rows.length > 0) this.#claimedMs = world.clock.monotonic()
      await this.#take(rows, leasedMs)
      if (rows.length === limit || this.#again) continue
      const next = await store.read(upcoming, null)
      const lookIn = await this.#lanes.look(next)
      const dueIn = Math.max(0, next.due_in ?? Number.POSITIVE_INFINITY)
      return Math.min(world.clock.now() + Math.min(dueIn, lookIn), poll())
    }
  }

  #rest(dueAt: number): void {
    this.#claiming = false
    if (this.#stopped) return
    if (this.#again) this.wake()
    else this.#lookAt(dueAt)
  }

  /** Looks in so many ms, if it would not look sooner. */
  #lookIn(ms: number): void {
    const at = this.#options.world.clock.now() + ms
    if (this.#claiming) this.#again = true
    else if (!this.#stopped && at < this.#timerAt) this.#lookAt(at)
  }

  /** Looks again at `dueAt`; of several times the soonest counts, since every look finds the next. */
  #lookAt(dueAt: number): void {
    const { clock } = this.#options.world
    this.#timer?.cancel()
    this.#timerAt = dueAt
    const restMs = this.#claimedMs + TOGETHER_MS - clock.monotonic()
    this.#timer = clock.after(Math.max(1, restMs, dueAt - clock.now()), () => this.wake())
  }

  /**
   * Groups claimed rows by message and reads each message once. A row that is in our hands already
   * was claimed because its renewal was late or the wall clock jumped: its job goes on.
   */
  async #take(claimed: readonly Claimed[], leasedMs: number, lane?: string): Promise<void> {
    const ours = claimed.length > 0 ? this.#jobs.rows() : new Set()
    const rows = claimed.filter(row => !ours.has(`${row.message_id} ${row.n}`))
    const byMessage = Map.groupBy(rows, row => row.message_id)
    await Promise.all(
      [...byMessage].map(async ([id, mine]) => {
        const message = await this.#options.store.read(queuedMessage, id)
        const content = { octets: () => this.#options.content(message as QueuedMessage) }
        const leased = mine.map(row => rowOf(row, leasedMs))
        if (message) await this.#begin(message, leased, content, lane)
        else this.#options.world.log.error('queue.orphan', { message: id })
      }),
    )
  }

  /** @param lane the lane that the rows come from */
  #begin(
    message: QueuedMessage,
    rows: readonly JobRow[],
    content: Content,
    lane?: string,
  ): void | Promise<void> {
    const routes = rows.map(row => this.#options.route(message, row))
    if (routes.some(route => route instanceof Promise)) {
      const known = Promise.all(routes.map(async route => route))
      return known.then(all => this.#dispatch(message, rows, all, content, lane))
    }
    this.#dispatch(message, rows, routes as Route[], content, lane)
  }

  #dispatch(
    message: QueuedMessage,
    rows: readonly JobRow[],
    routes: readonly Route[],
    content: Content,
    lane?: string,
  ): void {
    const { departure, limits } = this.#options
    const jobs = jobsOf(message, rows, routes, content, (row, route) => ({
      departure: departure(message, row, route),
      domain: apartOf(limits, row.address, route),
    }))
    content.begun?.(jobs.length)
    for (const job of jobs) this.#start(job, lane)
  }

  /** Carries a load now, as the probe of what it waits for, or once it is its turn. */
  #start(job: Job, lane: string | undefined): void {
    const lanes = this.#lanes
    const wait = lanes.wait(job, lane)
    if (wait === undefined) void this.#run(job)
    else if (lanes.isDue(wait.lane)) {
      void lanes.probe(wait.lane).then(won => (won ? void this.#run(job) : this.#park(job, wait)))
      // Its sender is to hear of it now, or it ends: that is the settler's, though nothing is tried.
    } else if (lanes.tells(job)) void this.#run(job, untried(wait))
    else this.#park(job, wait)
  }

  /** It goes back to the store, from where it is read when its time has come. */
  #park(job: Job, wait: Wait): void {
    job.content.left?.()
    this.#lanes.park(job, wait)
  }

  async #run(job: Job, other?: Transport): Promise<Carried> {
    const { gates, transports } = this.#options
    const by = other ?? transports[job.route.kind]
    const gated = by === transports.mx || by === transports.smarthost
    const place = this.#jobs.add(job)
    this.#places.take([job.destination, job.from])
    if (gated) gates.began(job.destination)
    const carried = await this.#carry(job, by, place).catch((error: unknown) => broken(job, error))
    if (gated && !carried.recalled) this.#lanes.learn(job, carried)
    const stopped = () => this.#stopped
    const moot = this.#jobs.isMoot(place, carried)
    const rests = moot || carried.recalled || carried.waits !== undefined
    const dueAt = rests ? undefined : await settleSurely(this.#options, job, carried, stopped)
    this.#jobs.delete(place)
    this.#finished(job, moot ? 0 : dueAt)
    if (carried.waits) this.#lanes.park(job, carried.waits)
    this.#lanes.left(job.destination, job.from)
    return carried
  }

  #carry(job: Job, by: Transport, place: number): Promise<Carried> {
    const { store, world } = this.#options
    const lapsed = () => this.#jobs.lapsed(place)
    const no = barred(job, world.clock.now()) ?? (!store.alone && lapsed() ? taken(job) : undefined)
    if (no !== undefined) return Promise.resolve(no)
    return by.carry(store.alone ? job.load : { ...job.load, lapsed }, job.route)
  }

  #finished(job: Job, dueAt: number | undefined): void {
    const { world } = this.#options
    const wasFull = this.#places.free < 1
    this.#places.leave([job.destination, job.from])
    job.content.left?.()
    if (this.#jobs.size === 0) this.#idle?.()
    if (wasFull || (dueAt !== undefined && dueAt <= world.clock.now())) this.wake()
    else if (dueAt !== undefined) this.#lookIn(dueAt - world.clock.now())
  }
}
