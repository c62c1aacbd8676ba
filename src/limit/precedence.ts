/**
 * Who is looked at first where more want to log in than passwords can be hashed: who has logged in from his
 * address before; then names and addresses of which no wrong guess is known; then the rest, each address in its
 * turn. So a flood of guesses keeps nobody waiting but those who guess. In memory, bounded, each node's own.
 */
import type { Clock } from '../world/clock.ts'
import type { Place } from './slots.ts'
import { Tally } from './tally.ts'

const KNOWN_MAX = 20_000
const SUSPECT = { count: 3, perMs: 10 * 60_000 }

export class Precedence {
  /** Pairs of address and name, those seen last at the end. */
  readonly #known = new Set<string>()
  readonly #wrongFrom: Tally
  readonly #wrongOf: Tally
  readonly #wrongBoth: Tally

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#wrongFrom = new Tally(clock, () => SUSPECT)
    this.#wrongOf = new Tally(clock, () => SUSPECT)
    this.#wrongBoth = new Tally(clock, () => SUSPECT)
  }

  place(holder: string, username: string): Place {
    return { rank: this.#rank(holder, username.toLowerCase()), lane: holder }
  }

  succeeded(holder: string, username: string): void {
    const pair = pairOf(holder, username.toLowerCase())
    this.#known.delete(pair)
    if (this.#known.size >= KNOWN_MAX) {
      const [oldest] = this.#known
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.add(pair)
  }

  failed(holder: string, username: string): void {
    this.#wrongFrom.add(holder)
    this.#wrongOf.add(username.toLowerCase())
    this.#wrongBoth.add(pairOf(holder, username.toLowerCase()))
  }

  #rank(holder: string, username: string): number {
    const pair = pairOf(holder, username)
    // Somebody may guess from where another one lives.
    if (this.#known.has(pair) && !this.#wrongBoth.full(pair)) return 0
    const from = this.#wrongFrom.full(holder)
    if (this.#wrongOf.of(username) === 0) return from ? 2 : 1
    return from ? 4 : 3
  }
}

/** A name is at most as long as a line of a peer; an address holds no blank. */
function pairOf(holder: string, username: string): string {
  return `${holder} ${username.slice(0, 256)}`
}
