/**
 * What other nodes have told of one kind of count: by key and node, each for its time. Memory is bounded: of too
 * many keys the oldest is forgotten. Kept by shared-counts.ts, which reads what they tell.
 */
import type { Clock } from '../world/clock.ts'
import type { Heard } from './count-row.ts'

const KEYS_MAX = 50_000

interface Theirs {
  readonly sum: number
  /** By our monotonic clock. */
  readonly until: number
}

export class OthersCount {
  readonly #clock: Clock
  /** By key, and then by node. */
  readonly #keys = new Map<string, Map<string, Theirs>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What all of them together have counted of a key. */
  sum(key: string): number {
    const nodes = this.#keys.get(key)
    if (nodes === undefined) return 0
    const now = this.#clock.monotonic()
    let sum = 0
    for (const [node, each] of nodes) {
      if (each.until > now) sum += each.sum
      else nodes.delete(node)
    }
    if (nodes.size === 0) this.#keys.delete(key)
    return sum
  }

  hear({ key, node, sum, leftMs }: Heard): void {
    const nodes = this.#keys.get(key)
    if (sum <= 0 || leftMs <= 0) {
      nodes?.delete(node)
      return
    }
    const theirs = { sum, until: this.#clock.monotonic() + leftMs }
    if (nodes !== undefined) nodes.set(node, theirs)
    else {
      if (this.#keys.size >= KEYS_MAX) {
        const [oldest] = this.#keys.keys()
        if (oldest !== undefined) this.#keys.delete(oldest)
      }
      this.#keys.set(key, new Map([[node, theirs]]))
    }
  }

  forget(key: string): void {
    this.#keys.delete(key)
  }
}
