/**
 * Who is looked at first where more want to log in than passwords can be hashed: who has logged in from his
 * address before. Then who has come to nothing least often: from his address of late, on his connection, and at
 * the name; among equals each address in its turn. So a flood of guesses keeps nobody waiting but those who guess,
 * be they many at one address or a few at each of many, and whatever name they guess at. Who guesses leaves
 * one slot to others (slots.ts). In memory, bounded, each node's own.
 */
import type { Clock } from '../world/clock.ts'
import { add } from './connections.ts'
import type { Place } from './slots.ts'
import { Tally } from './tally.ts'

const KNOWN_MAX = 20_000
/** From so many on an address guesses. */
const SUSPECT = { count: 3, perMs: 10 * 60_000 }
/** More are not told apart. */
const TRIES_MAX = 9

export class Precedence {
  /** Pairs of address and name, those seen last at the end. */
  readonly #known = new Set<string>()
  /** Logins that came to nothing: wrong, or told to come later. */
  readonly #vainFrom: Tally
  readonly #wrongOf: Tally
  readonly #wrongBoth: Tally
  /** Guesses that wait for their answer: what many try at once is as suspect as what was wrong. */
  readonly #open = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#vainFrom = new Tally(clock, () => SUSPECT)
    this.#wrongOf = new Tally(clock, () => SUSPECT)
    this.#wrongBoth = new Tally(clock, () => SUSPECT)
  }

  /**
   * The place of a guess that begins now; `settled` is called once it is answered.
   *
   * @param tries how often its connection came to nothing before
   */
  begin(holder: string, username: string, tries: number): Place {
    const name = username.toLowerCase()
    const [from, of, both] = keysOf(holder, name)
    const most = SUSPECT.count
    const vain = this.#vainFrom.of(holder) + this.#opened(from)
    const wrong = this.#wrongBoth.of(pairOf(holder, name)) + this.#opened(both)
    // Somebody may guess from where another one lives.
    const known = this.#known.has(pairOf(holder, name)) && wrong < most
    const guessedAt = this.#wrongOf.of(name) + this.#opened(of) > 0 ? 1 : 0
    const order = (Math.min(vain, TRIES_MAX) * 10 + Math.min(tries, TRIES_MAX)) * 2 + guessedAt + 1
    for (const key of [from, of, both]) add(this.#open, key, 1)
    return { rank: known ? 0 : order, lane: holder, yields: !known && vain >= most }
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
    this.#vainFrom.add(holder)
    this.#wrongOf.add(username.toLowerCase())
    this.#wrongBoth.add(pairOf(holder, username.toLowerCase()))
  }

  /** Whether there is guessing from an address. */
  suspects(holder: string): boolean {
    return this.#vainFrom.of(holder) >= SUSPECT.count
  }

  /** Told to come later: nothing is known of the guess, but he has had his turn. */
  later(holder: string): void {
    this.#vainFrom.add(holder)
  }

  #opened(key: string): number {
    return this.#open.get(key) ?? 0
  }
}

function keysOf(holder: string, username: string): readonly [string, string, string] {
  return [`from ${holder}`, `of ${username}`, `both ${pairOf(holder, username)}`]
}

/** A name is at most as long as a line of a peer; an address holds no blank. */
function pairOf(holder: string, username: string): string {
  return `${holder} ${username.slice(0, 256)}`
}
