/**
 * Connections kept between messages: some for each route, more loads than connections wait their
 * turn. Kept by transport/smtp.ts, which opens connections when it is told to. The pool opens none
 * itself, and everything it does is synchronous.
 */
import type { Clock, Timer } from '../world/clock.ts'
import type { Hop } from './hop.ts'

export interface PoolSettings {
  /** Connections of one route at once, those being opened included. */
  readonly connectionsPerRoute: number
  /** Connections of all routes at once. */
  readonly connectionsMax: number
  /** Messages that one connection carries before it is left. */
  readonly messagesPerConnection: number
  /** How long a connection is kept for the next message. */
  readonly idleMs: number
}

/** What a load is given: a connection to go by, or leave to open one. */
export type Place = Hop | 'open'

interface Route {
  readonly idle: Hop[]
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

/** Every fourth place is for who has waited longest, so that priorities keep nobody waiting for ever. */
const FAIR_TURN = 4

export class Pool {
  readonly #clock: Clock
  readonly #settings: PoolSettings
  readonly #routes = new Map<string, Route>()
  /** Routes with loads that wait for a connection of any route to end, in turn. */
  readonly #starved = new Set<string>()
  #connections = 0
  #arrivals = 0
  #sweep: Timer | undefined
  #closing = false

  constructor(clock: Clock, settings: PoolSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /**
   * A place for one load, by its priority (RFC 6710 §5.1) where some wait. Whoever gets 'open' must `give`
   * the connection or `drop` the place.
   */
  take(key: string, priority = 0): Place | Promise<Place> {
    const route = this.#route(key)
    // The last one used is the one most surely alive.
    for (let hop = route.idle.pop(); hop; hop = route.idle.pop()) {
      if (hop.usable) {
        hop.onGone = undefined
        return hop
      }
    }
    if (this.#mayOpen(route)) return this.#open(route)
    return new Promise(resolve => {
      queueUp(route.waiting, { priority, since: this.#arrivals++, go: resolve })
      if (route.connections < this.#settings.connectionsPerRoute) this.#starved.add(key)
    })
  }

  /** A connection is free again: for the next load that waits, or to be kept, or to be left. */
  give(key: string, hop: Hop): void {
    if (hop.usable && hop.messages >= this.#settings.messagesPerConnection) hop.leave()
    const route = this.#route(key)
    const next = hop.usable ? nextOf(route) : undefined
    if (next !== undefined) {
      next.go(hop)
      return
    }
    if (this.#closing || this.#settings.idleMs === 0 || this.#starved.size > 0) hop.leave()
    if (!hop.usable) {
      this.drop(key)
      return
    }
    hop.idleSinceMs = this.#clock.monotonic()
    hop.onGone = () => {
      const at = route.idle.indexOf(hop)
      if (at < 0) return
      route.idle.splice(at, 1)
      this.drop(key)
    }
    route.idle.push(hop)
    this.#sweep ??= this.#clock.after(this.#settings.idleMs, () => this.#sweepNow())
  }

  /** A place is free, without a connection: the next load that waits may open one. */
  drop(key: string): void {
    const route = this.#route(key)
    route.connections -= 1
    this.#connections -= 1
    this.#feed(key, route)
    for (const hungry of this.#starved) {
      if (this.#connections >= this.#settings.connectionsMax) break
      this.#feed(hungry, this.#route(hungry))
    }
    if (route.connections === 0 && route.waiting.length === 0) this.#routes.delete(key)
  }

  /** Leaves idle connections, now and from now on; gives their ends to wait for. */
  close(): readonly Promise<void>[] {
    this.#closing = true
    this.#sweep?.cancel()
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

  #route(key: string): Route {
    let route = this.#routes.get(key)
    if (route === undefined) {
      route = { idle: [], connections: 0, waiting: [], turns: 0 }
      this.#routes.set(key, route)
    }
    return route
  }

  #mayOpen(route: Route): boolean {
    if (route.connections >= this.#settings.connectionsPerRoute) return false
    if (this.#connections >= this.#settings.connectionsMax) this.#leaveOldest()
    return this.#connections < this.#settings.connectionsMax
  }

  #open(route: Route): 'open' {
    route.connections += 1
    this.#connections += 1
    return 'open'
  }

  #feed(key: string, route: Route): void {
    while (route.waiting.length > 0 && this.#mayOpen(route)) {
      this.#open(route)
      nextOf(route)?.go('open')
    }
    const starves =
      route.waiting.length > 0 && route.connections < this.#settings.connectionsPerRoute
    if (!starves) this.#starved.delete(key)
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
