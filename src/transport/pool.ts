/**
 * Connections kept between messages: some for each route, more loads than connections wait their
 * turn. Kept by transport/smtp.ts, which opens connections when it is told to. The pool opens none
 * itself, and everything it does is synchronous.
 */
import type { Carry } from '../smtp/client/question.ts'
import type { Clock, Timer } from '../world/clock.ts'
import type { Hop } from './hop.ts'
import type { Following, HopCarried } from './hop-answer.ts'
import {
  type Begun,
  emptyLine,
  type Line,
  nextOf,
  type Place,
  placeOfNext,
  queueUp,
  type Turn,
  takeAll,
  takeOut,
} from './waiting.ts'

export interface PoolSettings {
  /** Connections of one destination at once, those being opened included; may change at any time. */
  readonly connectionsTo: (gate: string, site: string) => number
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
  readonly mayOpen?: (site: string) => boolean
  readonly opened?: (site: string) => void
  readonly shut?: (site: string) => void
  readonly messagesTo?: (site: string) => number
  /** Told how many connections stand still in all. */
  readonly stalledInAll?: (connections: number) => void
}

interface Route extends Line {
  /** The destination: several routes may lead there, secured differently. */
  readonly gate: string
  /** What of it is counted apart by rules: a domain's mail by a hop that takes that of others, too. */
  readonly site: string
  readonly idle: Hop[]
  /** Since when (monotonic ms) each connection that is opened or used is so, in about this order. */
  readonly since: number[]
  /** Of these, how many have been for too long. */
  stalled: number
  /** Idle, busy or being opened. */
  connections: number
}

/** What a load asks of a place. */
export interface Asked {
  /** Its destination; the route's name unless said. */
  readonly gate?: string
  readonly site?: string
  readonly turn?: Turn
  /** Its message, by a connection that is at another's end. */
  readonly begin?: (hop: Hop) => Carry | undefined
  /** The host that chance has drawn of several alike: a kept connection to another is for who may open none. */
  readonly drawn?: string | undefined
}

const ANYBODY: Turn = { priority: 0, from: '' }
/** A connection that is opened or used for so long stands still. */
const STALL_MS = 5_000
const LOOK_MS = 1_000
/** So many that stand still are not counted among all: tarpits keep nobody else from being served. */
const STALLED_MAX = 1_000
/** A connection that takes longer for a load has no other bound to it. */
const SLOW_MS = 1_000

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
   * A place for one load, by its priority (RFC 6710 §5.1) and its sender's turn where some wait. Whoever gets 'open' must `give`
   * the connection or `drop` the place; 'closed' is no place. A load that waits and has a `begin` may go by `follow`.
   */
  take(key: string, asked: Asked = {}): Place | Promise<Place | Begun> {
    const { gate = key, site = gate, turn: { priority, from } = ANYBODY, begin, drawn } = asked
    const route = this.#route(key, gate, site)
    const most = this.#mostOf(route)
    const hop = idleOf(route, this.#hasRoom(route, most) ? drawn : undefined)
    if (hop !== undefined) return this.#begin(route, hop)
    if (most === 0) {
      this.#forget(key, route)
      return 'closed'
    }
    if (this.#mayOpen(route, most)) return this.#open(route)
    return new Promise(go => {
      queueUp(route, { priority, from, since: this.#arrivals++, go, begin })
      if (route.connections < most) this.#starved.add(key)
    })
  }

  /** The connection that would be taken next of those that stand idle; it is left where it is. */
  idle(key: string): Hop | undefined {
    return this.#routes.get(key)?.idle.at(-1)
  }

  /**
   * A connection is at the end of a message: the next load that waits may begin in the same group (RFC 2920 §3.1).
   * Both give the connection back, and the one who does so last leaves it to others.
   */
  follow(key: string, hop: Hop): Following | undefined {
    const route = this.#routes.get(key)
    if (route === undefined || route.waiting.length === 0 || !hop.usable) return undefined
    if (hop.messages >= this.#messagesTo(route) || hop.tookMs > SLOW_MS) return undefined
    if (route.connections > this.#mostOf(route)) return undefined
    const at = placeOfNext(route)
    const next = route.waiting[at]
    const work = next?.begin?.(hop)
    if (next === undefined || work === undefined) return undefined
    takeOut(route, at)
    hop.shared += 1
    const { promise, resolve } = Promise.withResolvers<HopCarried>()
    // It moves: what is counted as under way is still this one connection.
    hop.beganMs = this.#clock.monotonic()
    route.since[route.since.length - 1] = hop.beganMs
    next.go({ hop, carried: promise })
    return { work, carried: resolve }
  }

  /** A connection is free again: for the next load that waits, or to be kept, or to be left. */
  give(key: string, hop: Hop): void {
    hop.tookMs = this.#clock.monotonic() - hop.beganMs
    if (hop.shared > 0) {
      hop.shared -= 1
      return
    }
    const route = this.#end(key)
    if (hop.usable && hop.messages >= this.#messagesTo(route)) hop.leave()
    const most = this.#mostOf(route)
    const next = hop.usable && route.connections <= most ? nextOf(route) : undefined
    if (next !== undefined) {
      next.go(this.#begin(route, hop))
      if (route.waiting.length > 0) this.#feed(key, route)
      return
    }
    const crowded = route.connections > most || this.#starved.size > 0
    if (this.#closing || this.#settings.idleMs === 0 || crowded) hop.leave()
    if (!hop.usable) {
      this.#less(key, route, hop)
      return
    }
    hop.idleSinceMs = this.#clock.monotonic()
    // Once for each connection; of one that is at work whoever uses it hears.
    hop.onGone ??= () => {
      const at = route.idle.indexOf(hop)
      if (at < 0) return
      route.idle.splice(at, 1)
      this.#less(key, route, hop)
    }
    route.idle.push(hop)
    this.#sweep ??= this.#clock.after(this.#settings.idleMs, () => this.#sweepNow())
  }

  /** A place is free, without a connection: the next load that waits may open one. */
  drop(key: string): void {
    this.#less(key, this.#end(key))
  }

  /** Nothing more goes to this destination, or site, now: who waits for a place there gets none. */
  shut(name: string): void {
    for (const [key, route] of [...this.#routes]) {
      if (route.gate !== name && route.site !== name) continue
      for (const waiting of takeAll(route)) waiting.go('closed')
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

  #route(key: string, gate: string, site: string): Route {
    let route = this.#routes.get(key)
    if (route === undefined) {
      route = {
        gate,
        site,
        idle: [],
        since: [],
        stalled: 0,
        connections: 0,
        ...emptyLine(),
      }
      this.#routes.set(key, route)
    }
    return route
  }

  #mostOf({ gate, site }: Route): number {
    return this.#settings.connectionsTo(gate, site)
  }

  #messagesTo({ site }: Route): number {
    const { messagesPerConnection, messagesTo } = this.#settings
    return messagesTo?.(site) ?? messagesPerConnection
  }

  /** Whether one may be opened without any other being left for it. */
  #hasRoom({ connections, site }: Route, most: number): boolean {
    const { connectionsMax, mayOpen } = this.#settings
    return connections < most && this.#counted < connectionsMax && (mayOpen?.(site) ?? true)
  }

  /** Those that stand still are not counted, up to a limit; nor may one destination have many of them. */
  #mayOpen(route: Route, most = this.#mostOf(route)): boolean {
    if (route.connections >= most) return false
    if (route.stalled > 0 && this.#stalled > STALLED_MAX / 2) return false
    if (!this.#isAllowed(route)) return false
    if (this.#counted >= this.#settings.connectionsMax) this.#leaveOldest()
    return this.#counted < this.#settings.connectionsMax
  }

  /** One that stands idle on another way to the same place makes room for who has none. */
  #isAllowed({ gate, site, connections, waiting }: Route): boolean {
    const { mayOpen } = this.#settings
    if (mayOpen === undefined || mayOpen(site)) return true
    // The first asks for room, and has it once the goodbye is said.
    if (connections > 0 || waiting.length > 0) return false
    for (const { gate: place, idle } of this.#routes.values()) {
      if (place !== gate || idle.length === 0) continue
      idle[0]?.leave()
      break
    }
    return false
  }

  get #counted(): number {
    return this.#connections - Math.min(this.#stalled, STALLED_MAX)
  }

  #open(route: Route): 'open' {
    route.connections += 1
    this.#connections += 1
    this.#settings.opened?.(route.site)
    return this.#begin(route, 'open')
  }

  #begin<Taken extends Place>(route: Route, place: Taken): Taken {
    const nowMs = this.#clock.monotonic()
    route.since.push(nowMs)
    if (typeof place !== 'string') place.beganMs = nowMs
    this.#look ??= this.#clock.after(LOOK_MS, () => this.#lookNow())
    return place
  }

  /** One connection of the route is not used any more: the last one, since the first may stand still. */
  #end(key: string): Route {
    const route = this.#route(key, key, key)
    route.since.pop()
    if (route.stalled > route.since.length) this.#stands(route, route.since.length)
    return route
  }

  #less(key: string, route: Route, hop?: Hop): void {
    route.connections -= 1
    this.#connections -= 1
    // To its host, and so to rules that count, it is one until it has said goodbye.
    const parted = () => this.#settings.shut?.(route.site)
    if (hop === undefined) parted()
    else void hop.goodbye.then(parted).then(() => this.#feedStarved())
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
    const most = this.#mostOf(route)
    // Closed, with nobody under way who could wake them.
    if (most === 0) for (const waiting of takeAll(route)) waiting.go('closed')
    if (route.waiting.length === 0 || route.connections >= most) this.#starved.delete(key)
    else this.#starved.add(key)
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

/** An idle connection, taken, if need be to that host; the last one used is the one most surely alive. */
function idleOf({ idle }: Route, name?: string): Hop | undefined {
  if (name !== undefined) {
    const at = idle.findLastIndex(hop => hop.usable && hop.host.name === name)
    return at < 0 ? undefined : idle.splice(at, 1)[0]
  }
  for (let hop = idle.pop(); hop; hop = idle.pop()) {
    if (hop.usable) return hop
  }
  return undefined
}
