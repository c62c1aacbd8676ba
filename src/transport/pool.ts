/**
 * Connections kept between messages: some for each route, more loads than connections wait their
 * turn. Kept by transport/smtp.ts, which opens connections when it is told to. The pool opens none
 * itself, and everything it does is synchronous.
 */
import type { Clock, Timer } from '../world/clock.ts'
import type { Hop } from './hop.ts'

export interface PoolSettings {
  /** Connections of one destination at once, those being opened included; may change at any time. */
  readonly connectionsTo: (gate: string) => number
  /** Connections of all routes at once. */
  readonly connectionsMax: number
  /** Messages that one connection carries before it is left. */
  readonly messagesPerConnection: number
  /** How long a connection is kept for the next message. */
  readonly idleMs: number
  /**
   * Told of a destination while all that is under way there has stood still for long, and when it moves
   * again. True sends who waits for a place there back to the store.
   */
  readonly stalled?: (gate: string, stalled: boolean) => boolean
  /** Whether a connection more is allowed, beside that; and what is told of each that is opened and ended. */
  readonly mayOpen?: (gate: string) => boolean
  readonly opened?: (gate: string) => void
  readonly shut?: (gate: string) => void
  readonly messagesTo?: (gate: string) => number
  /** Told how many connections stand still in all. */
  readonly stalledInAll?: (connections: number) => void
}

/** What a load is given: a connection to go by, leave to open one, or nothing: it waits in the store. */
export type Place = Hop | 'open' | 'closed'

interface Route {
  /** The destination: several routes may lead there, secured differently. */
  readonly gate: string
  readonly idle: Hop[]
  /** Since when (monotonic ms) each connection that is opened or used is so, in about this order. */
  readonly since: number[]
  /** Of these, how many have been for too long. */
  stalled: number
  /** Idle, busy or being opened. */
  connections: number
  /** By priority, then in turn. */
  readonly waiting: Waiting[]
  /** Loads that got a place of others. */
  turns: number
}

/** A load that waits for a place. */
interface Waiting {
  readonly priority: number
  /** Grows with each that comes. */
  readonly since: number
  readonly go: (place: Place) => void
}

/** A connection that is opened or used for so long stands still. */
const STALL_MS = 5_000
const LOOK_MS = 1_000
/** So many that stand still are not counted among all: tarpits keep nobody else from being served. */
const STALLED_MAX = 1_000
/** Every fourth place is for who has waited longest, so that priorities keep nobody waiting for ever. */
const FAIR_TURN = 4

export class Pool {
  readonly #clock: Clock
  readonly #settings: PoolSettings
  readonly #routes = new Map<string, Route>()
  /** Routes with loads that wait for a connection of any route to end, in turn. */
  readonly #starved = new Set<string>()
  #connections = 0
  #stalled = 0
  #arrivals = 0
  #sweep: Timer | undefined
  #look: Timer | undefined
  #closing = false

  constructor(clock: Clock, settings: PoolSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /**
   * A place for one load, by its priority (RFC 6710 §5.1) where some wait. Whoever gets 'open' must `give`
   * the connection or `drop` the place; 'closed' is no place.
   */
  take(key: string, gate = key, priority = 0): Place | Promise<Place> {
    const route = this.#route(key, gate)
    // The last one used is the one most surely alive.
    for (let hop = route.idle.pop(); hop; hop = route.idle.pop()) {
      if (hop.usable) {
        hop.onGone = undefined
        return this.#begin(route, hop)
      }
    }
    const most = this.#settings.connectionsTo(gate)
    if (most === 0) {
      this.#forget(key, route)
      return 'closed'
    }
    if (this.#mayOpen(route, most)) return this.#open(route)
    return new Promise(resolve => {
      queueUp(route.waiting, { priority, since: this.#arrivals++, go: resolve })
      if (route.connections < most) this.#starved.add(key)
    })
  }

  /** A connection is free again: for the next load that waits, or to be kept, or to be left. */
  give(key: string, hop: Hop): void {
    const route = this.#end(key)
    const { messagesPerConnection, messagesTo } = this.#settings
    const messages = messagesTo?.(route.gate) ?? messagesPerConnection
    if (hop.usable && hop.messages >= messages) hop.leave()
    const most = this.#settings.connectionsTo(route.gate)
    const next = hop.usable && route.connections <= most ? nextOf(route) : undefined
    if (next !== undefined) {
      next.go(this.#begin(route, hop))
      if (route.waiting.length > 0) this.#feed(key, route)
      return
    }
    const crowded = route.connections > most || this.#starved.size > 0
    if (this.#closing || this.#settings.idleMs === 0 || crowded) hop.leave()
    if (!hop.usable) {
      this.#less(key, route)
      return
    }
    hop.idleSinceMs = this.#clock.monotonic()
    hop.onGone = () => {
      const at = route.idle.indexOf(hop)
      if (at < 0) return
      route.idle.splice(at, 1)
      this.#less(key, route)
    }
    route.idle.push(hop)
    this.#sweep ??= this.#clock.after(this.#settings.idleMs, () => this.#sweepNow())
  }

  /** A place is free, without a connection: the next load that waits may open one. */
  drop(key: string): void {
    this.#less(key, this.#end(key))
  }

  /** Nothing more goes to this destination now: who waits for a place there gets none. */
  shut(gate: string): void {
    for (const [key, route] of [...this.#routes]) {
      if (route.gate !== gate) continue
      for (const waiting of route.waiting.splice(0)) waiting.go('closed')
      this.#starved.delete(key)
      this.#forget(key, route)
    }
  }

  /** Leaves idle connections, now and from now on; gives their ends to wait for. */
  close(): readonly Promise<void>[] {
    this.#closing = true
    this.#sweep?.cancel()
    this.#look?.cancel()
    const idle = [...this.#routes.values()].flatMap(route => [...route.idle])
    for (const hop of idle) hop.leave()
    return idle.map(hop => hop.goodbye)
  }

  /** Connections that stand or are being opened, and loads that wait; for tests and metrics. */
  get counts(): { readonly connections: number; readonly idle: number; readonly waiting: number } {
    let idle = 0
    let waiting = 0
    for (const route of this.#routes.values()) {
      idle += route.idle.length
      waiting += route.waiting.length
    }
    return { connections: this.#connections, idle, waiting }
  }

  #route(key: string, gate: string): Route {
    let route = this.#routes.get(key)
    if (route === undefined) {
      route = { gate, idle: [], since: [], stalled: 0, connections: 0, waiting: [], turns: 0 }
      this.#routes.set(key, route)
    }
    return route
  }

  /** Those that stand still are not counted, up to a limit; nor may one destination have many of them. */
  #mayOpen(route: Route, most = this.#settings.connectionsTo(route.gate)): boolean {
    if (route.connections >= most) return false
    if (route.stalled > 0 && this.#stalled > STALLED_MAX / 2) return false
    if (this.#settings.mayOpen?.(route.gate) === false) return false
    if (this.#counted >= this.#settings.connectionsMax) this.#leaveOldest()
    return this.#counted < this.#settings.connectionsMax
  }

  get #counted(): number {
    return this.#connections - Math.min(this.#stalled, STALLED_MAX)
  }

  #open(route: Route): 'open' {
    route.connections += 1
    this.#connections += 1
    this.#settings.opened?.(route.gate)
    return this.#begin(route, 'open')
  }

  #begin<Taken extends Place>(route: Route, place: Taken): Taken {
    route.since.push(this.#clock.monotonic())
    this.#look ??= this.#clock.after(LOOK_MS, () => this.#lookNow())
    return place
  }

  /** One connection of the route is not used any more: the last one, since the first may stand still. */
  #end(key: string): Route {
    const route = this.#route(key, key)
    route.since.pop()
    if (route.stalled > route.since.length) this.#stands(route, route.since.length)
    return route
  }

  #less(key: string, route: Route): void {
    route.connections -= 1
    this.#connections -= 1
    this.#settings.shut?.(route.gate)
    this.#feed(key, route)
    this.#feedStarved()
    this.#forget(key, route)
  }

  #forget(key: string, route: Route): void {
    if (route.connections === 0 && route.waiting.length === 0) this.#routes.delete(key)
  }

  #feedStarved(): void {
    for (const hungry of this.#starved) {
      if (this.#counted >= this.#settings.connectionsMax) break
      const route = this.#routes.get(hungry)
      if (route === undefined) this.#starved.delete(hungry)
      else this.#feed(hungry, route)
    }
  }

  #feed(key: string, route: Route): void {
    while (route.waiting.length > 0 && this.#mayOpen(route)) nextOf(route)?.go(this.#open(route))
    const most = this.#settings.connectionsTo(route.gate)
    // Closed, with nobody under way who could wake them.
    if (most === 0) for (const waiting of route.waiting.splice(0)) waiting.go('closed')
    if (route.waiting.length === 0 || route.connections >= most) this.#starved.delete(key)
  }

  /** How many of a route stand still, where that has changed. */
  #stands(route: Route, stalled: number): void {
    this.#stalled += stalled - route.stalled
    route.stalled = stalled
    this.#settings.stalledInAll?.(this.#stalled)
    if (stalled === 0) this.#settings.stalled?.(route.gate, false)
  }

  /** Every second while anything is under way: what stands still, and who gets the places it leaves. */
  #lookNow(): void {
    this.#look = undefined
    const before = this.#clock.monotonic() - STALL_MS
    let busy = false
    for (const route of [...this.#routes.values()]) {
      const { since, gate } = route
      if (since.length > 0) busy = true
      let stalled = 0
      while (stalled < since.length && (since[stalled] as number) <= before) stalled++
      if (stalled !== route.stalled) this.#stands(route, stalled)
      const all = stalled > 0 && stalled === since.length
      if (all && this.#settings.stalled?.(gate, true)) this.shut(gate)
    }
    this.#feedStarved()
    if (busy && !this.#closing) this.#look = this.#clock.after(LOOK_MS, () => this.#lookNow())
  }

  /** Makes room for a route that has too few: the connection that was idle longest goes. */
  #leaveOldest(): void {
    let oldest: Hop | undefined
    for (const { idle } of this.#routes.values()) {
      const [first] = idle
      if (first && (oldest === undefined || first.idleSinceMs < oldest.idleSinceMs)) oldest = first
    }
    oldest?.leave()
  }

  /** One timer for all: leaves what was idle too long, and looks again at the next. */
  #sweepNow(): void {
    this.#sweep = undefined
    const { idleMs } = this.#settings
    const now = this.#clock.monotonic()
    let next = Number.POSITIVE_INFINITY
    for (const { idle } of [...this.#routes.values()]) {
      for (const hop of [...idle]) {
        if (hop.idleSinceMs + idleMs <= now) hop.leave()
        else next = Math.min(next, hop.idleSinceMs + idleMs)
      }
    }
    if (next !== Number.POSITIVE_INFINITY && !this.#closing) {
      this.#sweep = this.#clock.after(Math.max(1, next - now), () => this.#sweepNow())
    }
  }
}

/** Behind all of the same priority or a higher one: mostly at the end. */
function queueUp(waiting: Waiting[], one: Waiting): void {
  let at = waiting.length
  while (at > 0 && (waiting[at - 1] as Waiting).priority < one.priority) at--
  if (at === waiting.length) waiting.push(one)
  else waiting.splice(at, 0, one)
}

/** Who gets the next place; where all are alike, the first is the one who has waited longest. */
function nextOf(route: Route): Waiting | undefined {
  const { waiting } = route
  const first = waiting[0]
  const last = waiting.at(-1)
  if (!first || !last || first.priority === last.priority) return waiting.shift()
  route.turns += 1
  if (route.turns % FAIR_TURN !== 0) return waiting.shift()
  const oldest = waiting.reduce((found, one) => (one.since < found.since ? one : found))
  waiting.splice(waiting.indexOf(oldest), 1)
  return oldest
}
