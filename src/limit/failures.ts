/**
 * Failed logins by address: how many different guesses, in a time. Who repeats one is most likely a program
 * that knows an old password; that counts for little, but it does count. Asked by visit.ts.
 */
import type { Clock } from '../world/clock.ts'
import type { SharedCounts } from './shared-counts.ts'
import { Tally } from './tally.ts'

const WINDOW_MS = 10 * 60_000
/** So many repetitions weigh as much as one guess. */
const REPEATED = 10
const GUESSES_MAX = 32

export class Failures {
  readonly #counts: Tally
  readonly #repeats: Tally
  readonly #max: () => number
  /** What was guessed last, as small numbers: of no use to anybody who would read them. */
  readonly #guesses = new Map<string, Set<number>>()

  constructor(clock: Pick<Clock, 'monotonic'>, max: () => number, shared?: SharedCounts) {
    const rate = (times: number) => () => {
      const count = max()
      return count === 0 ? undefined : { count: count * times, perMs: WINDOW_MS }
    }
    this.#max = max
    this.#counts = new Tally(clock, rate(1), shared?.share('failures'))
    this.#repeats = new Tally(clock, rate(REPEATED), shared?.share('repeats'))
  }

  /** Whether it has failed so often that it must wait. */
  full(holder: string): boolean {
    return this.#counts.full(holder) || this.#repeats.full(holder)
  }

  /** A login failed; true where that is as often as it may. */
  add(holder: string, guess?: number): boolean {
    if (guess !== undefined && this.#repeated(holder, guess)) this.#repeats.add(holder)
    else this.#counts.add(holder)
    return this.#max() > 0 && this.full(holder)
  }

  /** How many of late. */
  of(holder: string): number {
    return this.#counts.of(holder)
  }

  forget(holder: string): void {
    this.#counts.forget(holder)
    this.#repeats.forget(holder)
    this.#guesses.delete(holder)
  }

  #repeated(holder: string, guess: number): boolean {
    const known = this.#counts.of(holder) > 0 ? this.#guesses.get(holder) : undefined
    if (known?.has(guess)) return true
    if (known === undefined) {
      // Those whose time is over go with the oldest.
      if (this.#guesses.size >= 10_000) {
        const [oldest] = this.#guesses.keys()
        if (oldest !== undefined) this.#guesses.delete(oldest)
      }
      this.#guesses.delete(holder)
      this.#guesses.set(holder, new Set([guess]))
    } else if (known.size < GUESSES_MAX) known.add(guess)
    return false
  }
}
