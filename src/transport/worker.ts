/**
 * The worker: claims what is due, routes it, has a transport carry it, and settles the outcome.
 *
 * What this node has just accepted is born leased to it and starts without a claim; everything else
 * is found by polling, which a wake-up only hastens. Memory is bounded by `jobsMax`: beyond it,
 * accepted mail stays in the store until a place is free. A route that is busy enough is passed
 * over by claims, so that a slow destination holds nobody up but itself.
 */

import { parseStoredAddress } from '../mail/address.ts'
import { isTooLate } from '../mail/deliver-by.ts'
import type { Acceptance } from '../queue/acceptance.ts'
import { type AskedInput, type Claimed, claim, claimAsked } from '../queue/claim.ts'
import { nextDueIn, type QueuedMessage, queuedMessage } from '../queue/reader.ts'
import { queuedMessageOf, queueTopic } from '../queue/spool.ts'
import { giveBack, recover, renew } from '../queue/writer.ts'
import { isOneByOne, type Route, routeKey } from '../route/route.ts'
import { everything, type Store, StoreError } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import { sleep, type Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import { type Departure, departureKey, type Job, type JobRow, makeJob, rowOf } from './job.ts'
import type { Settler } from './settler.ts'
import type { Carried, Transport } from './transport.ts'

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
  /** Jobs in memory at once, and of one route. */
  readonly jobsMax: number
  readonly jobsPerRouteMax: number
  /** How long nothing is looked for where nothing is known to be due; 20 s if not given. */
  readonly pollMs?: number
}

const LEASE_MS = 45_000
const RENEW_MS = 15_000
const POLL_MS = 20_000
const CLAIM_ROWS = 200
/** An outcome that could not be stored is tried again after a second, then ever more slowly. */
const SETTLE_AGAIN_MS = 1000
const SETTLE_AGAIN_MAX_MS = 60_000
const KEPT_MAX_BYTES = 16 * 1024 * 1024

export class Worker {
  readonly #options: WorkerOptions
  readonly #jobs = new Set<Job>()
  readonly #perRoute = new Map<string, number>()
  /** Octets of newborn messages kept in memory, by id. */
  readonly #kept = new Map<string, number>()
  #keptOctets = 0
  #claiming = false
  #again = false
  #stopped = false
  #timer: Timer | undefined
  #timerAt = 0
  #renewal: Timer | undefined
  #idle: (() => void) | undefined
  #unlisten: (() => void) | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? POLL_MS
  }

  get node(): string {
    return this.#options.node
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
    this.wake()
  }

  /** Whether mail accepted now for this address can be born in our hands, and for how long. */
  leaseFor(address: string): { by: string; leaseMs: number } | undefined {
    if (this.#stopped || this.#jobs.size >= this.#options.jobsMax) return undefined
    const count = this.#perRoute.get(routeKey(this.#options.usualRoute(address))) ?? 0
    if (count >= this.#options.jobsPerRouteMax) return undefined
    return { by: this.node, leaseMs: LEASE_MS }
  }

  /** How many loads of a message are being carried. */
  inHand(messageId: string): number {
    let count = 0
    for (const { message } of this.#jobs) if (message.id === messageId) count++
    return count
  }

  /** A message was accepted; the rows that were born leased to us begin. */
  born(acceptance: Acceptance): void {
    const message = queuedMessageOf(acceptance)
    const rows: JobRow[] = []
    for (const [n, r] of acceptance.recipients.entries()) {
      if (r.lease) rows.push({ n, ...r, attempts: 0, warnedAt: null })
    }
    this.#begin(message, rows, this.#newbornContent(acceptance, message))
  }

  /** True once nothing more is to be claimed. */
  get stopped(): boolean {
    return this.#stopped
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
    const { store } = this.#options
    const rows = await store.write(claimAsked, { ...asked, node: this.node, leaseMs: LEASE_MS })
    const last = rows.at(-1)
    if (last === undefined) return { carried: [] }
    const loads = [...Map.groupBy(rows, row => row.message_id)].map(async ([id, mine]) => {
      const message = await store.read(queuedMessage, id)
      if (message === undefined) return undefined
      const content = () => this.#options.content(message)
      return this.#run(makeJob(message, mine.map(rowOf), way.route, content), way.transport)
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
    this.#renewal?.cancel()
    this.#options.settler.hurry()
    if (this.#jobs.size > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
        this.#options.world.clock.after(graceMs, resolve)
      })
    }
    await Promise.all([...new Set(Object.values(this.#options.transports))].map(t => t.close()))
    const given = await this.#options.store.write(giveBack, { node: this.node })
    if (given > 0) this.#options.store.wake(queueTopic)
  }

  /** Claims until nothing is due or memory is full; says when to look again. */
  async #claim(): Promise<number> {
    const { store, world, jobsMax } = this.#options
    for (;;) {
      this.#again = false
      const limit = Math.min(CLAIM_ROWS, jobsMax - this.#jobs.size)
      if (this.#stopped || limit <= 0) return world.clock.now() + this.#pollMs
      const except = this.#busyDomains()
      const rows = await store.write(claim, { node: this.node, leaseMs: LEASE_MS, limit, except })
      await this.#take(rows)
      if (rows.length === limit || this.#again) continue
      const dueIn = (await store.read(nextDueIn, null)) ?? Number.POSITIVE_INFINITY
      // Rows of busy routes are due and stay so: the end of one of their jobs wakes us.
      const soonest = except.length > 0 ? world.clock.now() + 1000 : world.clock.now()
      return Math.min(
        Math.max(world.clock.now() + dueIn, soonest),
        world.clock.now() + this.#pollMs,
      )
    }
  }

  #rest(dueAt: number): void {
    this.#claiming = false
    if (this.#stopped) return
    if (this.#again) this.wake()
    else this.#lookAt(dueAt)
  }

  /** Looks again at `dueAt`; of several times the soonest counts, since every look finds the next. */
  #lookAt(dueAt: number): void {
    const { clock } = this.#options.world
    this.#timer?.cancel()
    this.#timerAt = dueAt
    this.#timer = clock.after(Math.max(1, dueAt - clock.now()), () => this.wake())
  }

  /**
   * Groups claimed rows by message and reads each message once. A row that is in our hands already
   * was claimed because its renewal was late or the wall clock jumped: its job goes on.
   */
  async #take(claimed: readonly Claimed[]): Promise<void> {
    const ours = claimed.length > 0 ? this.#rowsInHand() : new Set()
    const rows = claimed.filter(row => !ours.has(`${row.message_id} ${row.n}`))
    const byMessage = Map.groupBy(rows, row => row.message_id)
    await Promise.all(
      [...byMessage].map(async ([id, mine]) => {
        const message = await this.#options.store.read(queuedMessage, id)
        if (message) this.#begin(message, mine.map(rowOf), () => this.#options.content(message))
        else this.#options.world.log.error('queue.orphan', { message: id })
      }),
    )
  }

  /** Octets just accepted need not be read back, as long as not too many are kept for that. */
  #newbornContent(acceptance: Acceptance, message: QueuedMessage): () => Source {
    const { body, head } = acceptance
    const stored = () => this.#options.content(message)
    if (!(body instanceof Uint8Array) || this.#keptOctets + body.length > KEPT_MAX_BYTES)
      return stored
    if (acceptance.recipients.every(r => this.#options.usualRoute(r.address).kind === 'local'))
      return stored
    this.#keptOctets += body.length
    this.#kept.set(acceptance.id, body.length)
    return () => Buffer.concat([head, body])
  }

  #begin(message: QueuedMessage, rows: readonly JobRow[], content: () => Source): void {
    const routes = rows.map(row => this.#options.route(message, row))
    if (routes.some(route => route instanceof Promise)) {
      const known = Promise.all(routes.map(async route => route))
      void known.then(all => this.#dispatch(message, rows, all, content))
    } else this.#dispatch(message, rows, routes as Route[], content)
  }

  /** One job for each route, and for each way to leave by it. */
  #dispatch(
    message: QueuedMessage,
    rows: readonly JobRow[],
    routes: readonly Route[],
    content: () => Source,
  ): void {
    const ways = rows.map((row, i) => {
      const route = routes[i] as Route
      return { row, route, departure: this.#options.departure(message, row, route) }
    })
    const byWay = Map.groupBy(
      ways,
      // Routes of one key may differ in what they say to the hop, or to the sender.
      ({ row, route, departure }) =>
        `${JSON.stringify(route)} ${departureKey(row, departure)} ${isOneByOne(route) ? row.n : ''}`,
    )
    for (const group of byWay.values()) {
      const [{ route, departure }] = group as [(typeof ways)[number]]
      const together = group.map(({ row }) => row)
      void this.#run(makeJob(message, together, route, content, departure))
    }
  }

  async #run(job: Job, by: Transport = this.#transportFor(job)): Promise<Carried> {
    const key = routeKey(job.route)
    this.#jobs.add(job)
    this.#perRoute.set(key, (this.#perRoute.get(key) ?? 0) + 1)
    if (this.#renewal === undefined) this.#renewLater()
    const carried = await this.#carry(job, by).catch((error: unknown) => broken(job, error))
    this.#finished(job, key, await this.#settle(job, carried))
    return carried
  }

  /**
   * An outcome is not forgotten because the store cannot take it just now: to carry the load again
   * would make a copy each time. Its leases are renewed meanwhile. Never rejects.
   */
  async #settle(job: Job, carried: Carried): Promise<number | undefined> {
    const { settler, world } = this.#options
    for (let againMs = SETTLE_AGAIN_MS; ; againMs = Math.min(againMs * 2, SETTLE_AGAIN_MAX_MS)) {
      try {
        const dueAt = await settler.settle(job, carried)
        // A commit that failed may be there all the same, with a notice that nobody was told of.
        return againMs > SETTLE_AGAIN_MS ? world.clock.now() : dueAt
      } catch (error) {
        world.log.error('queue.settle', { message: job.message.id, error: String(error) })
        // What the store itself could not do may go later. What the writer refuses (a lease that is held
        // only in part, since another node took the rest over) it refuses for ever: let the lease end.
        if (!(error instanceof StoreError)) return undefined
        await sleep(world.clock, againMs)
        // The lease ends by itself, or was given back, and the load is carried again.
        if (this.#stopped) return undefined
      }
    }
  }

  /** What is too late goes nowhere (RFC 2852 §4.2). */
  #carry(job: Job, by: Transport): Promise<Carried> {
    const { deliverBy } = job.load.envelope.sender
    if (isTooLate(deliverBy, this.#options.world.clock.now())) return Promise.resolve(late(job))
    // They have loads of their own.
    if (job.load.envelope.recipients[0]?.looped) return Promise.resolve(looped(job))
    return by.carry(job.load, job.route)
  }

  #transportFor({ route }: Job): Transport {
    return this.#options.transports[route.kind]
  }

  #finished(job: Job, key: string, dueAt: number | undefined): void {
    const { jobsMax, jobsPerRouteMax, world } = this.#options
    const count = this.#perRoute.get(key) ?? 1
    const wasFull = this.#jobs.size >= jobsMax || count >= jobsPerRouteMax
    this.#jobs.delete(job)
    this.#keptOctets -= this.#kept.get(job.message.id) ?? 0
    this.#kept.delete(job.message.id)
    if (count <= 1) this.#perRoute.delete(key)
    else this.#perRoute.set(key, count - 1)
    if (this.#jobs.size === 0) this.#idle?.()
    if (wasFull || (dueAt !== undefined && dueAt <= world.clock.now())) this.wake()
    else if (dueAt !== undefined && !this.#claiming && !this.#stopped && dueAt < this.#timerAt) {
      this.#lookAt(dueAt)
    } else if (dueAt !== undefined && this.#claiming) this.#again = true
  }

  #busyDomains(): string[] {
    const busy = new Set<string>()
    for (const job of this.#jobs) {
      if ((this.#perRoute.get(routeKey(job.route)) ?? 0) < this.#options.jobsPerRouteMax) continue
      for (const row of job.rows) busy.add(parseStoredAddress(row.address).domain)
      if (busy.size >= 100) break
    }
    return [...busy]
  }

  #rowsInHand(): Set<string> {
    const rows = new Set<string>()
    for (const job of this.#jobs) for (const { n } of job.rows) rows.add(`${job.message.id} ${n}`)
    return rows
  }

  /** Lengthens the leases of the loads in hand every 15 s, as long as there are any. */
  #renewLater(): void {
    const { world, store } = this.#options
    this.#renewal = world.clock.after(RENEW_MS, () => {
      this.#renewal = undefined
      if (this.#stopped || this.#jobs.size === 0) return
      const rows = [...this.#jobs].flatMap(job =>
        job.rows.map(row => ({ messageId: job.message.id, n: row.n })),
      )
      this.#renewLater()
      store
        .write(renew, { node: this.node, leaseMs: LEASE_MS, rows })
        .catch((error: unknown) => world.log.warn('queue.renew', { error: String(error) }))
    })
  }
}

/** RFC 2852 §4.1.3: what came back to us after its time is not tried any more. */
function late(job: Job): Carried {
  const reason = 'it was not delivered by the time its sender had set'
  return { outcomes: job.rows.map(() => ({ kind: 'failed', status: '5.4.7', reason })) }
}

/** RFC 5321 §6.3: what comes round again goes no further. */
function looped(job: Job): Carried {
  const reason = 'the message has been here before, it is in a loop'
  return { outcomes: job.rows.map(() => ({ kind: 'failed', status: '5.4.6', reason })) }
}

/** A transport that threw has a bug; its load is tried again later. */
function broken(job: Job, error: unknown): Carried {
  const reason = `internal error: ${error instanceof Error ? error.message : String(error)}`
  return { outcomes: job.rows.map(() => ({ kind: 'deferred', status: '4.3.0', reason })) }
}
