/**
 * Who is looked at first where more want to log in than passwords can be hashed: who has logged in from his
 * address before; then names and addresses of which no wrong guess is known; then the rest, each address in its
 * turn. So a flood of guesses keeps nobody waiting but those who guess. In memory, bounded, each node's own.
 */
import type { Clock } from '../world/clock.ts'
import { add } from './connections.ts'
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
  /** Guesses that wait for their answer: what many try at once is as suspect as what was wrong. */
  readonly #open = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#wrongFrom = new Tally(clock, () => SUSPECT)
    this.#wrongOf = new Tally(clock, () => SUSPECT)
    this.#wrongBoth = new Tally(clock, () => SUSPECT)
  }

  /** The place of a guess that begins now; `settled` is called once it is answered. */
  begin(holder: string, username: string): Place {
    const name = username.toLowerCase()
    const rank = this.#rank(holder, name)
    for (const key of keysOf(holder, name)) add(this.#open, key, 1)
    return { rank, lane: holder }
  }

  settled(holder: string, username: string): void {
    for (const key of keysOf(holder, username.toLowerCase())) add(this.#open, key, -1)
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
    const [openFrom, openOf, openBoth] = keysOf(holder, username).map(
      key => this.#open.get(key) ?? 0,
    )
    const most = SUSPECT.count
    if (this.#known.has(pair) && this.#wrongBoth.of(pair) + (openBoth ?? 0) < most) return 0
    const from = this.#wrongFrom.of(holder) + (openFrom ?? 0) >= most
    if (this.#wrongOf.of(username) + (openOf ?? 0) === 0) return from ? 2 : 1
    return from ? 4 : 3
  }
}

function keysOf(holder: string, username: string): readonly [string, string, string] {
  return [`from ${holder}`, `of ${username}`, `both ${pairOf(holder, username)}`]
}

/** A name is at most as long as a line of a peer; an address holds no blank. */
function pairOf(holder: string, username: string): string {
  return `${holder} ${username.slice(0, 256)}`
}
