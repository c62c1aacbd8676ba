/**
 * The SMTP transport: carries a load to the hosts of a domain or to a fixed next hop (RFC 5321 §5,
 * §4.5.4.1). It takes a kept connection where there is one, else tries the hosts in their order
 * until one has taken or refused the mail. Choosing hosts (hosts.ts), securing (tls-policy.ts),
 * speaking (hop.ts, smtp/client) and keeping (pool.ts) are elsewhere; retrying later is the queue's.
 */

import { type NextHop, type Route, routeKey } from '../route/route.ts'
import type { Gates, Wait } from '../shape/gates.ts'
import type { Limits } from '../shape/limits.ts'
import { timeouts } from '../smtp/client/state.ts'
import type { World } from '../world/world.ts'
import { Attempt, forNow } from './attempt.ts'
import { Beginnings } from './beginnings.ts'
import { type Candidate, candidatesOf, drawnOf, placeOf } from './candidate.ts'
import { type Hop, type HopOpened, type HopOptions, openHop, unopened } from './hop.ts'
import type { HopCarried } from './hop-answer.ts'
import { type Host, type Located, locateDomain, locateHost } from './hosts.ts'
import { Pool } from './pool.ts'
import { poolKey, type Remote } from './pool-key.ts'
import { Remembered, STEPWISE, UNREACHABLE } from './remembered.ts'
import { inTheClear, isProven } from './tls-policy.ts'
import type { Carried, Load, Transport } from './transport.ts'
import { hopsInTurn, sourceFor, type Way, type WayDefaults, waysOf } from './way.ts'

export interface SmtpTransportSettings extends WayDefaults {
  readonly connectTimeoutMs: number
  /** Caps every timeout of RFC 5321 §4.5.3.2. */
  readonly replyTimeoutMs?: number
  readonly connectionsPerRoute: number
  readonly connectionsMax: number
  readonly messagesPerConnection: number
  readonly idleMs: number
  readonly hostsMax: number
  readonly addressesMax: number
  /** Further trusted roots for hops that are verified, PEM. */
  readonly roots?: string
  /** The certificate we show where one is asked for. */
  readonly own?: () => HopOptions['own']
  isOurself(name: string, address?: string): boolean
  /** What becomes of mail whose hosts all greet with a refusal. */
  readonly refusedGreeting: 'wait' | 'bounce'
  /** What is known of destinations; without it each has `connectionsPerRoute`. */
  readonly gates?: Gates
  /** What the rules of shaping allow. */
  readonly limits?: Limits
  /** Told how many connections stand still in all. */
  readonly stalled?: (connections: number) => void
}

/** What holds where nothing else is said. */
export const smtpTransportDefaults = {
  port: 25,
  connectTimeoutMs: 30_000,
  tls: 'opportunistic',
  eightBit: 'convert',
  refusedGreeting: 'wait',
  sourceAddresses: [],
  addressFamily: 'any',
  connectionsPerRoute: 20,
  connectionsMax: 200,
  messagesPerConnection: 100,
  idleMs: 5_000,
  hostsMax: 10,
  addressesMax: 10,
} as const

/** How long a close waits for the goodbyes of idle connections. */
const GOODBYE_MS = 1_000

/** Kept connections that may fail a load before it waits for its next turn. */
const KEPT_TRIES = 5

/** Makes the transport; `close` it to leave idle connections. */
export function smtpTransport(
  world: World,
  given: Pick<SmtpTransportSettings, 'hostname' | 'isOurself'> & Partial<SmtpTransportSettings>,
): Transport {
  return new SmtpTransport(world, { ...smtpTransportDefaults, ...given })
}

/** A route, and the order in which this attempt tries its hops. */
interface Trial {
  readonly route: Remote
  readonly hops: readonly NextHop[]
  readonly key: string
  /** Of hosts that are preferred alike, the one that is to have this load. */
  readonly drawn: string | undefined
}

const NOT_PROVEN =
  'it may go on only under verified TLS (RFC 8689), and the way to its domain is not proven'

const NO_PLACE = { status: '4.4.5', reason: 'it waits for its destination' }

/**
 * 'anew': the same host takes the rest by another connection. 'untried': it had but begun behind the end of another
 * load, and the connection ended with that one.
 */
type Offered = 'done' | 'elsewhere' | 'anew' | 'untried'

class SmtpTransport implements Transport {
  readonly #world: World
  readonly #settings: SmtpTransportSettings
  readonly #pool: Pool
  /** Addresses of hosts that lose pipelined commands, and until when that is believed (monotonic ms). */
  readonly #stepwise: Remembered
  readonly #unreachable: Remembered
  /** Of hosts that hear nothing of what stands behind the end of a message. */
  readonly #apart: Remembered
  /** Look-ups under way: loads that begin together share one. */
  readonly #locating = new Map<string, Promise<Located>>()
  readonly #beginnings = new Beginnings()

  constructor(world: World, settings: SmtpTransportSettings) {
    this.#world = world
    this.#settings = settings
    this.#stepwise = new Remembered(world.clock, STEPWISE)
    this.#unreachable = new Remembered(world.clock, UNREACHABLE)
    this.#apart = new Remembered(world.clock, STEPWISE)
    const { connectionsPerRoute, gates, limits, messagesPerConnection } = settings
    this.#pool = new Pool(world.clock, {
      ...settings,
      connectionsTo: (gate, site) =>
        limits?.closes(site) ? 0 : (gates?.connections(gate) ?? connectionsPerRoute),
      ...(limits && {
        mayOpen: site => limits.mayOpen(site),
        opened: site => limits.opened(site),
        shut: site => limits.shut(site),
        messagesTo: site => limits.messagesTo(site, messagesPerConnection),
      }),
      stalled: (gate, stalled) => gates?.stalled(gate, stalled) ?? false,
      ...(settings.stalled === undefined ? {} : { stalledInAll: settings.stalled }),
    })
    gates?.onClosed(gate => this.#pool.shut(gate))
  }

  carry(load: Load, route: Route): Promise<Carried> {
    const attempt = new Attempt(load)
    if (route.kind !== 'mx' && route.kind !== 'smarthost') {
      return Promise.resolve(attempt.close('deferred', '4.3.5', 'not a remote route'))
    }
    const { requireTls, reversePath, tlsOptional } = load.envelope.sender
    const { tls } = this.#settings
    if (requireTls && reversePath !== null && !isProven(route)) {
      return Promise.resolve(attempt.close('failed', '5.7.30', NOT_PROVEN))
    }
    const way = tlsOptional && tls === 'require' ? { ...route, tlsOptional } : route
    return this.#carry(attempt, way).catch((error: unknown) => {
      // A bug or a broken store: the mail waits, and the log has what is needed to mend it.
      this.#world.log.error('transport.smtp', { message: load.id, error: String(error) })
      return attempt.close('deferred', '4.3.0', 'the message could not be carried')
    })
  }

  recall(): void {
    this.#beginnings.recall()
  }

  async close(): Promise<void> {
    const goodbyes = this.#pool.close()
    if (goodbyes.length === 0) return
    await new Promise<void>(resolve => {
      const timer = this.#world.clock.after(GOODBYE_MS, resolve)
      void Promise.all(goodbyes).then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  async #carry(attempt: Attempt, route: Remote): Promise<Carried> {
    const hops = hopsInTurn(route, this.#world.random)
    const { limits } = this.#settings
    const gate = routeKey(route)
    const { domain } = attempt
    const site = domain && limits ? limits.siteOf({ route, domain }) : gate
    const key = poolKey(route, hops, site)
    // A load takes one token of a rate, however often it is offered.
    let paid = false
    for (let kept = 0; kept < KEPT_TRIES; kept++) {
      const begin = (free: Hop) => {
        const work = attempt.workNow(free)
        if (work === undefined || (!paid && this.#spend(attempt, route))) return undefined
        paid = true
        return work
      }
      const drawn = drawnOf(this.#pool.idle(key), this.#unreachable, this.#world.random)
      const place = this.#pool.take(key, { gate, site, turn: attempt, begin, drawn })
      const taken = place instanceof Promise ? await place : place
      if (taken === 'closed') return this.#waits(attempt, route)
      if (taken === 'open') {
        const carried = await this.#tryHosts(attempt, { route, hops, key, drawn }, paid)
        if (carried !== 'later') return carried
        kept--
        continue
      }
      const { hop, carried } = 'hop' in taken ? taken : { hop: taken }
      try {
        if (attempt.lapsed) return attempt.carried()
        const wait = paid ? undefined : this.#spend(attempt, route)
        if (wait !== undefined) return waiting(attempt, wait)
        paid = true
        // A kept connection may have ended meanwhile; the next one, or a new one, will do then.
        const end = await this.#offer(attempt, hop, key, carried)
        if (end === 'done') return attempt.carried()
        if (end === 'untried') kept--
      } finally {
        this.#pool.give(key, hop)
      }
    }
    return attempt.carried()
  }

  /** Nothing goes there now. The destination was closed while the load waited for its turn. */
  #waits(attempt: Attempt, route: Remote): Carried {
    const { gates, limits } = this.#settings
    const gate = routeKey(route)
    const aim = { route, domain: attempt.domain }
    return waiting(attempt, limits?.wait(aim) ?? gates?.wait(gate) ?? { lane: gate, ...NO_PLACE })
  }

  /** Takes what a message needs of rates, or says why it may not go now. */
  #spend(attempt: Attempt, route: Remote): Wait | undefined {
    const { gates, limits } = this.#settings
    return attempt.parted(gates, route) ?? limits?.spend({ route, domain: attempt.domain })
  }

  /**
   * Tries the hosts of a route in order; has one place in the pool, and gives it back. 'later' where that was
   * one too many by a rule that is for its hosts, which are known only now.
   */
  async #tryHosts(
    attempt: Attempt,
    { route, hops, key, drawn }: Trial,
    paid: boolean,
  ): Promise<Carried | 'later'> {
    const { limits } = this.#settings
    let hop: Hop | undefined
    let nowhere: Extract<Located, { readonly reason: string }> | undefined
    let met = false
    const last: Candidate[] = []
    try {
      if (attempt.lapsed) return attempt.carried()
      for (const way of waysOf(route, hops, this.#settings, route.tlsOptional === true)) {
        const located = await this.#beginnings.of(this.#locate(way))
        if (located === undefined) return attempt.recalled()
        if (located.kind !== 'hosts') {
          if (located.kind === 'failed')
            return attempt.close('failed', located.status, located.reason)
          nowhere ??= located
          continue
        }
        if (limits !== undefined && !met) {
          const names = located.hosts.map(({ name }) => name)
          const aim = { route, domain: attempt.domain }
          limits.located(aim, names)
          if (limits.exceeded(limits.siteOf(aim))) return 'later'
          const wait = paid ? undefined : this.#spend(attempt, route)
          if (wait !== undefined) return waiting(attempt, wait)
        }
        met = true
        for (const candidate of candidatesOf(located, way, drawn)) {
          if (this.#unreachable.has(placeOf(candidate.host, way))) {
            last.push(candidate)
            continue
          }
          hop = await this.#tryHost(attempt, candidate, key)
          if (hop !== undefined) return attempt.carried()
          if (this.#beginnings.recalled) return attempt.recalled()
        }
      }
      for (const candidate of last) {
        hop = await this.#tryHost(attempt, candidate, key)
        if (hop !== undefined) return attempt.carried()
        if (this.#beginnings.recalled) return attempt.recalled()
      }
      return !met && nowhere !== undefined
        ? attempt.unlocated(nowhere.status, nowhere.reason)
        : attempt.carried()
    } finally {
      if (hop === undefined) this.#pool.drop(key)
      else this.#pool.give(key, hop)
    }
  }

  /** The connection by which all was settled; undefined where another host is to be tried. */
  async #tryHost(
    attempt: Attempt,
    { host, way, equals }: Candidate,
    key: string,
  ): Promise<Hop | undefined> {
    for (let end: Offered = 'anew'; end === 'anew'; ) {
      const opened = await this.#beginnings.of(this.#open(host, way), late => {
        if (late.kind === 'hop') late.hop.leave()
      })
      if (opened === undefined) return undefined
      if (opened.kind === 'trouble') {
        const { phase } = opened.trouble
        if (phase === 'connect' || phase === 'greeting') this.#unreachable.add(placeOf(host, way))
        const waits = this.#settings.refusedGreeting === 'wait'
        const trouble = waits ? forNow(opened.trouble, way) : opened.trouble
        attempt.trouble(host, trouble, opened.dialogue)
        return undefined
      }
      this.#unreachable.forget(placeOf(host, way))
      const { hop } = opened
      hop.equals = equals
      end = await this.#offer(attempt, hop, key).catch((error: unknown) => {
        hop.leave()
        throw error
      })
      if (end === 'done') return hop
      hop.leave()
    }
    return undefined
  }

  /** Opens one host; where TLS fails and need not be, once more in the clear (RFC 7435 §3). */
  async #open(host: Host, way: Way): Promise<HopOpened> {
    const { connectTimeoutMs, replyTimeoutMs, roots } = this.#settings
    const { port, hostname, protocol, tls, pins, login, eightBit, without, xforward } = way
    const localAddress = sourceFor(way, host.address, this.#world.random)
    if (localAddress === null) {
      const reason = `none of our source addresses can reach ${host.name} (${host.address})`
      return unopened('connect', '4.4.1', reason)
    }
    const own = this.#settings.own?.()
    const options: HopOptions = {
      host,
      port,
      hostname,
      protocol,
      tls,
      eightBit,
      xforward,
      connectTimeoutMs,
      timeouts: timeouts(replyTimeoutMs),
      without: this.#stepwise.has(host.address) ? [...without, 'PIPELINING'] : without,
      ...(pins === undefined ? {} : { pins }),
      ...(login === undefined ? {} : { login }),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(roots === undefined ? {} : { roots }),
      ...(own === undefined ? {} : { own }),
    }
    const opened = await openHop(this.#world, options)
    const tlsFailed = opened.kind === 'trouble' && opened.trouble.phase === 'tls'
    if (!tlsFailed || !options.tls.clearInstead) return opened
    return openHop(this.#world, { ...options, tls: inTheClear(options.tls) })
  }

  /**
   * Offers one hop what is still open, in as many transactions as it wants.
   * @param begun what comes of the first, where it has begun behind the end of another load's
   */
  async #offer(
    attempt: Attempt,
    hop: Hop,
    key: string,
    begun?: Promise<HopCarried>,
  ): Promise<Offered> {
    if (hop.follow === undefined && hop.groups && !this.#apart.has(hop.host.address)) {
      hop.follow = () => this.#pool.follow(key, hop)
    }
    const fitting = attempt.fit(hop, this.#world.log)
    const fitted = fitting instanceof Promise ? await fitting : fitting
    if (fitted === undefined) return 'done'
    for (let some = false; ; some = true) {
      const first = some ? undefined : begun
      const carried = await (first ?? hop.carry(attempt.work(fitted, hop)))
      if (carried.kind === 'untouched') return first ? 'untried' : some ? 'anew' : 'elsewhere'
      if (carried.trouble?.grouped) this.#apart.add(hop.host.address)
      const end = attempt.note(carried)
      const again = end === 'elsewhere' ? carried.trouble?.again : undefined
      if (again === 'stepwise') this.#stepwise.add(hop.host.address)
      if (again !== undefined) return 'anew'
      // A host that ends the connection after a transaction of many has not ceased to take mail.
      if (end !== 'again') return end === 'elsewhere' && some ? 'anew' : end
    }
  }

  #locate({ to, family }: Way): Promise<Located> {
    const key = `${'domain' in to ? `mx:${to.domain}` : to.host} ${family}`
    const known = this.#locating.get(key)
    if (known !== undefined) return known
    const settings = this.#settings
    const located =
      'domain' in to
        ? locateDomain(this.#world, to.domain, { ...settings, family })
        : locateHost(this.#world, to.host, settings.addressesMax, family)
    this.#locating.set(key, located)
    void located.finally(() => this.#locating.delete(key)).catch(() => {})
    return located
  }
}

function waiting(attempt: Attempt, waits: Wait): Carried {
  return { ...attempt.close('deferred', waits.status, waits.reason), waits }
}
