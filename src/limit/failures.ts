/**
 * Failed logins by address: who guesses too often is answered without a look at the password, so
 * that a flood costs no hashing. Loopback is exempt: it is us, or a proxy in front of us.
 */
import type { Clock } from '../world/clock.ts'
import { networkOf } from './connections.ts'
import { isLoopback } from './loopback.ts'

const WINDOW_MS = 10 * 60_000
const NETWORKS_MAX = 50_000

interface Count {
  failures: number
  readonly until: number
}

export class Failures {
  readonly #clock: Clock
  readonly #max: () => number
  readonly #counts = new Map<string, Count>()

  constructor(clock: Clock, max: () => number) {
    this.#clock = clock
    this.#max = max
  }

  /** Whether an address has failed so often that it must wait. */
  blocked(address: string): boolean {
    const count = this.#current(networkOf(address))
    return count !== undefined && count.failures >= this.#max()
  }

  /** A login failed. */
  add(address: string): void {
    if (isLoopback(address)) return
    const network = networkOf(address)
    const count = this.#current(network)
    if (count) count.failures++
    else {
      // The oldest goes first: bounded whatever comes.
      if (this.#counts.size >= NETWORKS_MAX) {
        const [oldest] = this.#counts.keys()
        if (oldest !== undefined) this.#counts.delete(oldest)
      }
      this.#counts.set(network, { failures: 1, until: this.#clock.monotonic() + WINDOW_MS })
    }
  }

  /** What was counted as a failure has succeeded after all. */
  forgive(address: string): void {
    const count = this.#current(networkOf(address))
    if (count !== undefined && count.failures > 0) count.failures--
  }

  #current(network: string): Count | undefined {
    const count = this.#counts.get(network)
    if (count && count.until <= this.#clock.monotonic()) {
      this.#counts.delete(network)
      return undefined
    }
    return count
  }
}
