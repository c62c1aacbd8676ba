/**
 * The simulated network between hosts: who listens where, how long octets take, where they are cut,
 * and what goes wrong. One for all hosts of an internet; each host sees it through `netFor`.
 */

import {
  ConnectError,
  type Connection,
  type ConnectOptions,
  type ListenAddress,
  type Listening,
  type Net,
} from '../net.ts'
import type { Random } from '../random.ts'
import { type Item, LinkEnd, type Medium } from './link.ts'
import type { Life, Timeline } from './timeline.ts'

/** One segment on its way; what a test sees when it decides its fate. */
export interface Segment {
  readonly from: string
  readonly to: string
  /** The port that was connected to. */
  readonly port: number
  readonly fromClient: boolean
  readonly octets: Uint8Array
  /** Octets that went the same way on this connection before. */
  readonly before: number
}

/** 'lose': this segment and all that follow it vanish, both ends stay (a half-open connection). */
export type Fate = 'deliver' | 'reset' | 'lose'

export interface Faults {
  /** One-way delay of a segment, ms: from, to. */
  latencyMs: readonly [number, number]
  /** 'random' cuts what is written into segments where chance wills. */
  cut: 'whole' | 'random'
  /** Chance, in parts of a million, that a segment is answered by a reset. */
  resetsPerMillion: number
  /** A fate for chosen segments: the phase of a dialogue, say. */
  fate: ((segment: Segment) => Fate) | undefined
}

/** A host as the network knows it. */
export interface Site {
  readonly name: string
  readonly addresses: readonly string[]
  life: Life
  /** What a peer of a host that is down meets. */
  down: 'no' | 'refuses' | 'silent'
}

interface Listener {
  readonly life: Life
  readonly accept: (connection: Connection) => void
}

interface Way {
  lost: boolean
  held: Item[]
}

const HOP = 'net'

export class Network implements Medium {
  readonly faults: Faults = {
    latencyMs: [1, 20],
    cut: 'random',
    resetsPerMillion: 0,
    fate: undefined,
  }
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #sites: Site[] = []
  readonly #listeners = new Map<string, Listener>()
  readonly #ways = new Map<LinkEnd, Way>()
  readonly #parted = new Set<string>()
  #nextPort = 40_000

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline
    this.#random = random
  }

  add(site: Site): void {
    this.#sites.push(site)
  }

  /** Holds everything between two hosts until `heal`. */
  part(a: string, b: string): void {
    this.#parted.add(pair(a, b))
  }

  heal(a: string, b: string): void {
    this.#parted.delete(pair(a, b))
    for (const [end, way] of this.#ways) {
      if (this.#isParted(end)) continue
      const held = way.held
      way.held = []
      for (const item of held) this.#arrived(end, item)
    }
  }

  /** A host went down: its connections and listeners are no more. */
  crashed(site: Site): void {
    for (const [key, listener] of this.#listeners) {
      if (!listener.life.alive) this.#listeners.delete(key)
    }
    for (const end of [...this.#ways.keys()]) {
      if (end.life.alive) continue
      if (site.down === 'refuses' && !end.closed) this.carry(end, { kind: 'reset' })
      end.vanish()
    }
  }

  netFor(site: Site): Net {
    const { life } = site
    return {
      listen: async (where, accept) => this.#listen(site, life, where, accept),
      connect: options => this.#connect(site, life, options),
    }
  }

  carry(from: LinkEnd, item: Item): void {
    for (const part of this.#cut(item)) {
      from.lastArrival = Math.max(from.lastArrival, this.#timeline.now + this.#latencyMs())
      this.#timeline.plan(
        'traffic',
        from.lastArrival - this.#timeline.now,
        undefined,
        label(from, part),
        () => this.#arrived(from, part),
      )
    }
  }

  soon(end: LinkEnd, what: string, run: () => void): void {
    this.#timeline.plan('traffic', 0, end.life, `${HOP} ${end.host} ${what}`, run)
  }

  after(end: LinkEnd, delayMs: number, run: () => void): () => void {
    return this.#timeline.plan('timer', delayMs, end.life, `${HOP} ${end.host} timer`, run)
  }

  stray(end: LinkEnd): void {
    const site = this.#sites.find(other => other.name === end.host)
    if (site?.down === 'silent') return
    this.carry(end, { kind: 'reset' })
  }

  #arrived(from: LinkEnd, item: Item): void {
    const to = from.peer
    const way = this.#ways.get(from) ?? { lost: false, held: [] }
    if (way.lost) return
    if (way.held.length > 0 || this.#isParted(from)) {
      way.held.push(item)
      return
    }
    const fate = item.kind === 'octets' ? this.#fate(from, item.octets) : 'deliver'
    if (fate === 'lose') {
      way.lost = true
    } else if (fate === 'reset') {
      way.lost = true
      from.arrive({ kind: 'reset' })
      to.arrive({ kind: 'reset' })
    } else {
      if (item.kind === 'octets') from.sentOctets += item.octets.length
      to.arrive(item)
    }
    if (from.closed && to.closed) this.#forget(from)
  }

  #forget(end: LinkEnd): void {
    // A last reset may still be under way; a way that is not known delivers.
    this.#ways.delete(end)
    this.#ways.delete(end.peer)
  }

  #fate(from: LinkEnd, octets: Uint8Array): Fate {
    const { fate, resetsPerMillion } = this.faults
    const fromClient = from.side === 'client'
    const { host } = from
    const port = fromClient ? from.remote.port : from.local.port
    const segment = {
      from: host,
      to: from.peer.host,
      port,
      fromClient,
      octets,
      before: from.sentOctets,
    }
    const chosen = fate?.(segment) ?? 'deliver'
    if (chosen !== 'deliver' || resetsPerMillion === 0) return chosen
    return this.#random.below(1_000_000) < resetsPerMillion ? 'reset' : 'deliver'
  }

  #isParted(end: LinkEnd): boolean {
    return this.#parted.has(pair(end.host, end.peer.host))
  }

  #latencyMs(): number {
    const [least, most] = this.faults.latencyMs
    return least + this.#random.below(Math.max(1, most - least + 1))
  }

  /** Half of what is written goes whole; the rest in up to four pieces. */
  #cut(item: Item): readonly Item[] {
    if (item.kind !== 'octets' || this.faults.cut === 'whole' || item.octets.length < 2)
      return [item]
    const { octets } = item
    const parts: Item[] = []
    let from = 0
    for (let cuts = this.#random.below(2) * (1 + this.#random.below(3)); cuts > 0; cuts--) {
      const to = from + this.#random.below(octets.length - from)
      if (to > from) parts.push({ kind: 'octets', octets: octets.subarray(from, to) })
      from = to
    }
    parts.push({ kind: 'octets', octets: octets.subarray(from) })
    return parts
  }

  #listen(
    site: Site,
    life: Life,
    where: ListenAddress,
    accept: (c: Connection) => void,
  ): Listening {
    if (where.kind === 'inherited') throw new Error('a simulated host inherits no sockets')
    const address = where.kind === 'unix' ? where.path : where.address
    const port = where.kind === 'unix' ? 0 : where.port || this.#nextPort++
    const key = `${site.name} ${address} ${port}`
    if (this.#listeners.get(key)?.life.alive) {
      throw Object.assign(new Error(`listen EADDRINUSE: ${address}:${port}`), {
        code: 'EADDRINUSE',
      })
    }
    const listener = { life, accept }
    this.#listeners.set(key, listener)
    return {
      local: { address, port },
      close: async () => {
        if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
      },
    }
  }

  #connect(site: Site, life: Life, options: ConnectOptions): Promise<Connection> {
    const { address, timeoutMs } = options
    const byPath = address.startsWith('/')
    const port = byPath ? 0 : options.port
    const what = `connect ${site.name} to ${address} ${port}`
    return new Promise((resolve, reject) => {
      const fail = (code: string, delayMs: number) => {
        const error = new ConnectError(code, `${what}: ${code}`)
        this.#timeline.plan('traffic', delayMs, life, `${what}: ${code}`, () => reject(error))
      }
      const isLoopback = byPath || address === '127.0.0.1' || address === '::1'
      const target = isLoopback
        ? site
        : this.#sites.find(other => other.addresses.includes(address))
      const source = isLoopback ? address : (options.localAddress ?? sourceFor(site, address))
      if (source === undefined) return fail('ENETUNREACH', 0)
      if (!isLoopback && !site.addresses.includes(source)) return fail('EADDRNOTAVAIL', 0)
      if (!target) return fail('EHOSTUNREACH', this.#latencyMs())
      this.#timeline.plan('traffic', this.#latencyMs(), undefined, what, () => {
        if (!life.alive) return
        if (target.down === 'silent' || this.#parted.has(pair(site.name, target.name))) {
          return fail('ETIMEDOUT', timeoutMs)
        }
        const listener = this.#listenerAt(target.name, address, port)
        if (!listener) return fail('ECONNREFUSED', this.#latencyMs())
        const local = { address: source, port: this.#nextPort++ }
        const remote = { address, port }
        const client = new LinkEnd(this, { host: site.name, life, side: 'client', local, remote })
        const { life: serverLife } = listener
        const server = new LinkEnd(this, {
          host: target.name,
          life: serverLife,
          side: 'server',
          local: remote,
          // As a kernel has it: who connects to a Unix socket has no address.
          remote: byPath ? { address: 'unix', port: 0 } : local,
        })
        client.peer = server
        server.peer = client
        this.#ways.set(client, { lost: false, held: [] })
        this.#ways.set(server, { lost: false, held: [] })
        listener.accept(server)
        this.#timeline.plan('traffic', this.#latencyMs(), life, `${what}: stands`, () =>
          resolve(client),
        )
      })
    })
  }

  #listenerAt(host: string, address: string, port: number): Listener | undefined {
    const any = address.includes(':') ? ['::'] : ['0.0.0.0', '::']
    for (const bound of [address, ...any]) {
      const listener = this.#listeners.get(`${host} ${bound} ${port}`)
      if (listener?.life.alive) return listener
    }
    return undefined
  }
}

function sourceFor(site: Site, address: string): string | undefined {
  const isIpv6 = address.includes(':')
  return site.addresses.find(own => own.includes(':') === isIpv6)
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

function label(from: LinkEnd, item: Item): string {
  const size = item.kind === 'octets' ? ` ${item.octets.length}` : ''
  return `${HOP} ${from.host}:${from.local.port} > ${from.peer.host}:${from.remote.port} ${item.kind}${size}`
}
