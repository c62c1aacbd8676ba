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
/** Characters of a name: no address of mail is longer. */
const NAME_MAX = 256
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
    const [from, of, both] = keysOf(holder, username)
    const most = SUSPECT.count
    const vain = this.#vainFrom.of(from) + this.#opened(from)
    const wrong = this.#wrongBoth.of(both) + this.#opened(both)
    // Somebody may guess from where another one lives.
    const known = this.#known.has(both) && wrong < most
    const guessedAt = this.#wrongOf.of(of) + this.#opened(of) > 0 ? 1 : 0
    const order = (Math.min(vain, TRIES_MAX) * 10 + Math.min(tries, TRIES_MAX)) * 2 + guessedAt + 1
    for (const key of [from, of, both]) add(this.#open, key, 1)
    return { rank: known ? 0 : order, lane: holder, yields: !known && vain >= most }
  }

  settled(holder: string, username: string): void {
    for (const key of keysOf(holder, username)) add(this.#open, key, -1)
  }

  succeeded(holder: string, username: string): void {
    const [, , both] = keysOf(holder, username)
    this.#known.delete(both)
    if (this.#known.size >= KNOWN_MAX) {
      const [oldest] = this.#known
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.add(both)
  }

  failed(holder: string, username: string): void {
    const [from, of, both] = keysOf(holder, username)
    this.#vainFrom.add(from)
    this.#wrongOf.add(of)
    this.#wrongBoth.add(both)
  }

  /** Whether there is guessing from an address. */
  suspects(holder: string): boolean {
    return this.#vainFrom.of(`from ${holder}`) >= SUSPECT.count
  }

  /** Told to come later: nothing is known of the guess, but he has had his turn. */
  later(holder: string): void {
    this.#vainFrom.add(`from ${holder}`)
  }

  #opened(key: string): number {
    return this.#open.get(key) ?? 0
  }
}

/**
 * What is counted by: the address, the name, both. Fifty thousand of them may be kept, and a name may be as long
 * as a line of a peer: of a long one its beginning counts. An address holds no blank.
 */
function keysOf(holder: string, username: string): readonly [string, string, string] {
  const name = username.slice(0, NAME_MAX).toLowerCase()
  return [`from ${holder}`, `of ${name}`, `both ${holder} ${name}`]
}
