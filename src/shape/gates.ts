/**
 * What this node knows of each destination: how many loads it is given at once, and whether it is down.
 * A destination is named by its route's key (route/route.ts). What is down or suspended is a row of `lane`,
 * the same for all nodes (queue/lane.ts); this is a node's copy of it, and may lag behind: that costs one
 * attempt, no more. The worker asks and tells; nothing here waits, and the memory is bounded.
 *
 * A domain that an operator has suspended is closed under a name of its own (`domainLane`), whichever way its mail goes.
 */
import type { LaneRow } from '../queue/lane.ts'
import { formatDate } from '../wire/date.ts'
import type { Clock } from '../world/clock.ts'
import { type Weight, Window, type WindowLimits } from './window.ts'

/** Why a load may not go now, and the lane in which it waits. */
export interface Wait {
  readonly lane: string
  readonly status: string
  readonly reason: string
}

/** What an attempt has shown of its destination; nothing where it had no part in the outcome. */
export type Reach =
  /** It has spoken about the message. */
  | { readonly kind: 'up' }
  /** No host of it could be made ready. */
  | { readonly kind: 'down'; readonly status: string; readonly reason: string }
  /** It broke off in mid-session, or would not go on. */
  | { readonly kind: 'shaky'; readonly status: string; readonly reason: string }

/** What the end of a load means for its destination. */
export type Turn =
  /** It is down from now on. `probe`: it was down, and this was the probe. */
  | { readonly kind: 'down'; readonly probe: boolean }
  /** It was down, and is not any more. */
  | { readonly kind: 'up' }

export interface Closed {
  readonly state: 'down' | 'suspended'
  readonly since: number
  /** By the database's clock, for people. */
  readonly untilAt: number
  /** By our monotonic clock. */
  readonly untilMs: number
  readonly status: string
  readonly reason: string
}

interface Gate {
  window: Window
  closed: Closed | undefined
  probing: boolean
  /** Loads under way. */
  busy: number
  /** All that is under way has waited for an answer for long, and nothing has gone well lately. */
  stalled: boolean
  /** When (monotonic ms) it has spoken about a message last. */
  upMs: number
}

/** Who has taken mail so lately may take its time. */
const LATELY_MS = 60_000

/** Destinations without news that are remembered, and closed ones. */
const GATES_MAX = 20_000
/** 4.4.5: congestion, here. */
const STALLED = { status: '4.4.5', reason: 'its mail host takes very long to answer' }

const DOMAIN = 'domain:'

/** The lane of what goes to a domain, whichever way it goes. */
export function domainLane(domain: string): string {
  return `${DOMAIN}${domain}`
}

export class Gates {
  readonly #clock: Clock
  readonly #limits: () => WindowLimits
  readonly #gates = new Map<string, Gate>()
  /** Lanes of domains that are closed. */
  readonly #domains = new Set<string>()
  #closed: (name: string) => void = () => undefined

  constructor(clock: Clock, limits: () => WindowLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Loads that may be under way to it at once. */
  connections(name: string): number {
    const gate = this.#gates.get(name)
    if (gate === undefined) return this.#first()
    if (gate.closed !== undefined) return gate.probing ? 1 : 0
    return Math.min(gate.window.size, this.#limits().most)
  }

  /** Why nothing may go there now; nothing where it may. */
  wait(name: string): Wait | undefined {
    const gate = this.#gates.get(name)
    if (gate === undefined) return undefined
    const { closed } = gate
    if (closed !== undefined) {
      return { lane: name, status: closed.status, reason: closedReason(closed) }
    }
    return gate.stalled ? { lane: name, ...STALLED } : undefined
  }

  closed(name: string): boolean {
    return this.#gates.get(name)?.closed !== undefined
  }

  /** Whether any domain is closed by itself: mostly none is, and nobody need look which. */
  get closesDomains(): boolean {
    return this.#domains.size > 0
  }

  /** How many destinations are down, and how many suspended, as far as this node knows. */
  get counts(): { readonly down: number; readonly suspended: number } {
    const counts = { down: 0, suspended: 0 }
    for (const { closed } of this.#gates.values()) if (closed) counts[closed.state] += 1
    return counts
  }

  /** In how many ms its time comes, where it is closed and its time is still ahead. */
  opensIn(name: string): number | undefined {
    const closed = this.#gates.get(name)?.closed
    if (closed === undefined) return undefined
    const ms = closed.untilMs - this.#clock.monotonic()
    return ms > 0 ? ms : undefined
  }

  /** Calls this whenever a destination closes; the last one to ask is told. */
  onClosed(closed: (name: string) => void): void {
    this.#closed = closed
  }

  /** Whether it is a place of which anything was ever known: lanes of senders, rules and domains have no window. */
  knows(name: string): boolean {
    return this.#gates.has(name) && !/^(?:rule|domain):/.test(name)
  }

  /** A rule holds it up: who waits for it goes to the rule's lane, and it begins anew afterwards. */
  holdUp(name: string): void {
    const gate = this.#gates.get(name)
    if (gate !== undefined) gate.window = new Window(1)
    this.#closed(name)
  }

  /** It is open again. */
  up(name: string): void {
    this.#domains.delete(name)
    const gate = this.#gates.get(name)
    if (gate?.closed !== undefined) this.#open(gate)
  }

  began(name: string): void {
    this.#gate(name).busy += 1
  }

  /** A load has ended; what that means for its destination is the worker's to store. */
  ended(name: string, reach: Reach | undefined): Turn | undefined {
    const gate = this.#gate(name)
    gate.busy = Math.max(0, gate.busy - 1)
    const { probing } = gate
    if (gate.closed !== undefined && !probing) return undefined
    gate.probing = false
    if (reach === undefined && !probing) return undefined
    if (reach === undefined || reach.kind === 'up') {
      gate.stalled = false
      if (reach !== undefined) gate.upMs = this.#clock.monotonic()
      if (!probing) gate.window.succeeded(gate.busy + 1, this.#limits())
      else this.#open(gate)
      return probing ? { kind: 'up' } : undefined
    }
    const weight: Weight = reach.kind === 'down' ? 1 : 0.5
    if (!probing && !gate.window.failed(weight, this.#limits())) return undefined
    const now = this.#clock.now()
    const { status, reason } = reach
    const since = gate.closed?.since ?? now
    // Until the store has said when: soon enough that nothing waits for ever if it never says.
    const untilMs = this.#clock.monotonic() + 60_000
    gate.closed = { state: 'down', since, untilAt: now + 60_000, untilMs, status, reason }
    this.#closed(name)
    return { kind: 'down', probe: probing }
  }

  /** A load went back untried. */
  withdrew(name: string): undefined {
    const gate = this.#gate(name)
    gate.busy = Math.max(0, gate.busy - 1)
    gate.probing = false
  }

  /** The probe of a lane is ours. */
  probe(name: string): void {
    this.#gate(name).probing = true
  }

  /** The probe did not come about: its row had another way to go. */
  unprobe(name: string): boolean {
    const gate = this.#gates.get(name)
    if (!gate?.probing || gate.busy > 0) return false
    gate.probing = false
    return true
  }

  /** How a lane stands in the store. */
  told(row: LaneRow): void {
    if (row.state === 'open') {
      this.up(row.name)
      return
    }
    const gate = this.#gate(row.name)
    const wasOpen = gate.closed === undefined
    if (row.name.startsWith(DOMAIN)) this.#domains.add(row.name)
    gate.closed = {
      state: row.state,
      since: row.since,
      untilAt: row.until_at,
      untilMs: this.#clock.monotonic() + row.until_in,
      status: row.status ?? '4.4.1',
      reason: row.reason ?? 'it could not be reached',
    }
    if (wasOpen) this.#closed(row.name)
  }

  /** Whether all that is under way there has waited for long; gives whether that is a reason not to wait for it. */
  stalled(name: string, stalled: boolean): boolean {
    const gate = stalled ? this.#gate(name) : this.#gates.get(name)
    if (gate === undefined) return false
    gate.stalled = stalled && gate.upMs + LATELY_MS < this.#clock.monotonic()
    return gate.stalled
  }

  #open(gate: Gate): void {
    gate.closed = undefined
    gate.probing = false
    // One at first: who has just come back is not stormed.
    gate.window = new Window(1)
  }

  #first(): number {
    const { initial, most } = this.#limits()
    return Math.min(initial, most)
  }

  #gate(name: string): Gate {
    let gate = this.#gates.get(name)
    if (gate === undefined) {
      if (this.#gates.size >= GATES_MAX) this.#forget()
      gate = {
        window: new Window(this.#first()),
        closed: undefined,
        probing: false,
        busy: 0,
        stalled: false,
        upMs: Number.NEGATIVE_INFINITY,
      }
      this.#gates.set(name, gate)
    }
    return gate
  }

  /** Drops the oldest tenth of those that nothing hangs on but an attempt: what is suspended gets none. */
  #forget(): void {
    let left = GATES_MAX / 10
    for (const [name, gate] of this.#gates) {
      if (gate.busy > 0 || gate.closed?.state === 'suspended') continue
      this.#gates.delete(name)
      if (--left === 0) return
    }
  }
}

/** What is said of mail for a destination that is closed. */
export function closedReason({
  state,
  since,
  untilAt,
  reason,
}: Pick<Closed, 'state' | 'since' | 'untilAt' | 'reason'>): string {
  return state === 'down'
    ? `${reason}; down since ${formatDate(since)}, next probe at ${formatDate(untilAt)}`
    : `${reason}; suspended since ${formatDate(since)} until ${formatDate(untilAt)}`
}
