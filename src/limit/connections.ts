/**
 * How many connections stand over all listeners: in all, from each address and from each network around it
 * (IPv4 by /24, IPv6 by /64). Beyond a limit nobody is let in: 421 4.7.0, BYE, -ERR [SYS/TEMP]. Those of an
 * address and of a network count at all nodes (shared-counts.ts); in all, each node has what it can hold.
 *
 * Who stands for many (this machine, a proxy that is trusted) may have half of all, unless the setting
 * names a number: then that is the number for everybody.
 */
import type { SharedCounts, Sharing } from './shared-counts.ts'
import { holderOf, networkOf } from './subject.ts'

export interface ConnectionLimits {
  readonly connections: number
  /** Absent: `PER_ADDRESS`, and for who stands for many half of all. */
  readonly perAddress?: number
  readonly perNetwork: number
}

const PER_ADDRESS = 50

/** Which limit is reached. */
export type Crowded = 'in all' | 'from one address' | 'from one network'

export class Connections {
  readonly #limits: () => ConnectionLimits
  readonly #byHolder = new Map<string, number>()
  readonly #byNetwork = new Map<string, number>()
  readonly #holders: Sharing | undefined
  readonly #networks: Sharing | undefined
  #total = 0

  constructor(limits: () => ConnectionLimits, shared?: SharedCounts) {
    this.#limits = limits
    this.#holders = shared?.share('standing.address')
    this.#networks = shared?.share('standing.network')
  }

  get total(): number {
    return this.#total
  }

  /** Counts a connection in; or says which limit is reached, and counts nothing. */
  enter(address: string, forMany: boolean): Crowded | undefined {
    const limits = this.#limits()
    if (this.#total >= limits.connections) return 'in all'
    const holder = holderOf(address)
    const network = networkOf(address)
    const usual = limits.perAddress ?? PER_ADDRESS
    const most = forMany ? (limits.perAddress ?? limits.connections / 2) : usual
    // Who stands for many has them at each node.
    const elsewhere = forMany ? 0 : (this.#holders?.others(holder) ?? 0)
    if ((this.#byHolder.get(holder) ?? 0) + elsewhere >= most) return 'from one address'
    const around = this.#networks?.others(network) ?? 0
    if (!forMany && (this.#byNetwork.get(network) ?? 0) + around >= limits.perNetwork) {
      return 'from one network'
    }
    this.#total++
    this.#change(holder, network, 1)
    return undefined
  }

  leave(address: string): void {
    this.#total--
    this.#change(holderOf(address), networkOf(address), -1)
  }

  #change(holder: string, network: string, change: 1 | -1): void {
    add(this.#byHolder, holder, change)
    add(this.#byNetwork, network, change)
    if (this.#holders === undefined) return
    const { perAddress = PER_ADDRESS, perNetwork } = this.#limits()
    this.#holders.standing(holder, this.#byHolder.get(holder) ?? 0, perAddress)
    this.#networks?.standing(network, this.#byNetwork.get(network) ?? 0, perNetwork)
  }
}

/** A count that comes to nothing takes no room. */
export function add<Key>(counts: Map<Key, number>, key: Key, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change
  if (count <= 0) counts.delete(key)
  else counts.set(key, count)
}
