/**
 * How many connections stand over all listeners: in all, from each address and from each network around it
 * (IPv4 by /24, IPv6 by /64). Beyond a limit nobody is let in: 421 4.7.0, BYE, -ERR [SYS/TEMP].
 *
 * Who stands for many (this machine, a proxy that is trusted) may have half of all, unless the setting
 * names a number: then that is the number for everybody.
 */
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
  #total = 0

  constructor(limits: () => ConnectionLimits) {
    this.#limits = limits
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
    if ((this.#byHolder.get(holder) ?? 0) >= most) return 'from one address'
    if (!forMany && (this.#byNetwork.get(network) ?? 0) >= limits.perNetwork) {
      return 'from one network'
    }
    this.#total++
    add(this.#byHolder, holder, 1)
    add(this.#byNetwork, network, 1)
    return undefined
  }

  leave(address: string): void {
    this.#total--
    add(this.#byHolder, holderOf(address), -1)
    add(this.#byNetwork, networkOf(address), -1)
  }
}

/** A count that comes to nothing takes no room. */
export function add<Key>(counts: Map<Key, number>, key: Key, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change
  if (count <= 0) counts.delete(key)
  else counts.set(key, count)
}
