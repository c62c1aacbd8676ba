/**
 * How many connections stand, in all and from each address, over all listeners of one kind. An IPv6
 * peer counts by its /64, which is what one customer holds. Beyond the limit: 421 4.7.0.
 */

import { isLoopback } from './loopback.ts'

export interface ConnectionLimits {
  readonly totalMax: number
  readonly perAddressMax: number
}

export class Connections {
  readonly #limits: () => ConnectionLimits
  readonly #perNetwork = new Map<string, number>()
  #total = 0

  constructor(limits: () => ConnectionLimits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#total
  }

  /** Counts a connection in; false, and not counted, where one more would be too many. */
  enter(address: string): boolean {
    const { totalMax, perAddressMax } = this.#limits()
    const network = networkOf(address)
    const count = this.#perNetwork.get(network) ?? 0
    // This machine itself may take half: it stands for all who come by a proxy, a web mailer, a test.
    const most = isLoopback(address) ? Math.max(perAddressMax, totalMax / 2) : perAddressMax
    if (this.#total >= totalMax || count >= most) return false
    this.#total++
    this.#perNetwork.set(network, count + 1)
    return true
  }

  leave(address: string): void {
    const network = networkOf(address)
    const count = this.#perNetwork.get(network) ?? 0
    this.#total--
    if (count <= 1) this.#perNetwork.delete(network)
    else this.#perNetwork.set(network, count - 1)
  }
}

/** The address itself for IPv4, the first four groups for IPv6. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [before = '', after] = address.split('::')
  const front = before === '' ? [] : before.split(':')
  const back = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  return [...front, ...Array<string>(zeros).fill('0'), ...back].slice(0, 4).join(':')
}
