/**
 * What happened how often by whom: a count for each key that begins anew when its time is over. Bounded
 * whatever comes: the count that began first is forgotten for a new one. In memory; what other nodes
 * have counted, where there are any, is added (shared-counts.ts).
 */
import type { Clock } from '../world/clock.ts'
import type { Sharing } from './shared-counts.ts'

/** So many in so long. */
export interface Rate {
  readonly count: number
  readonly perMs: number
}

const KEYS_MAX = 50_000

interface Count {
  sum: number
  readonly until: number
}

export class Tally {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #rate: () => Rate | undefined
  readonly #sharing: Sharing | undefined
  /** In the order in which they began. */
  readonly #counts = new Map<string, Count>()

  /** Without a rate nothing is counted. */
  constructor(clock: Pick<Clock, 'monotonic'>, rate: () => Rate | undefined, sharing?: Sharing) {
    this.#clock = clock
    this.#rate = rate
    this.#sharing = sharing
  }

  /** Counts; true where it is more than the rate allows by now. */
  add(key: string, much = 1): boolean {
    const rate = this.#rate()
    if (rate === undefined) return false
    const count = this.#current(key) ?? this.#begun(key, rate)
    count.sum += much
    const sharing = this.#sharing
    if (sharing === undefined) return count.sum > rate.count
    sharing.counted(key, count.sum, rate.count, count.until - this.#clock.monotonic())
    return count.sum + sharing.others(key) > rate.count
  }

  of(key: string): number {
    return (this.#current(key)?.sum ?? 0) + (this.#sharing?.others(key) ?? 0)
  }

  /** Whether there is no room for one more. */
  full(key: string): boolean {
    const rate = this.#rate()
    return rate !== undefined && this.of(key) >= rate.count
  }

  forget(key: string): void {
    this.#counts.delete(key)
    this.#sharing?.forget(key)
  }

  #begun(key: string, { perMs }: Rate): Count {
    if (this.#counts.size >= KEYS_MAX) {
      const [oldest] = this.#counts.keys()
      if (oldest !== undefined) this.#counts.delete(oldest)
    }
    const count = { sum: 0, until: this.#clock.monotonic() + perMs }
    this.#counts.set(key, count)
    return count
  }

  #current(key: string): Count | undefined {
    const count = this.#counts.get(key)
    if (count === undefined || count.until > this.#clock.monotonic()) return count
    this.#counts.delete(key)
    return undefined
  }
}
