/**
 * How long an answer waits where many connections come to nothing at once: logins that fail or are told to come later,
 * commands that are none. Each of a crowd is answered some milliseconds later for every other one that stands, so
 * that all of them together are answered at one pace, however many they are. A few wait for nothing.
 *
 * Who answers at once is asked again at once: two thousand guessers make a turn of the event loop long, and as
 * libuv takes one new connection a turn (libuv#3696), whoever wants in waited behind all of them, half a minute
 * and more. One for each node; asked by visit.ts.
 */
import type { Clock } from '../world/clock.ts'

/** So many are no crowd. */
const FEW = 50
/** By so much each waits for every one of them: 200 answers a second. */
const EACH_MS = 5
/** Nobody waits longer: a program may take a longer silence for the end. */
const LONGEST_MS = 5_000
/** So long a connection counts that came to nothing. */
const LATELY_MS = 2 * LONGEST_MS

export class Crowd {
  readonly #clock: Pick<Clock, 'monotonic'>
  /** Connections that stand, and until when each counts; in the order of that. */
  readonly #lately = new Map<object, number>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** A connection came to nothing: how long what is said about it is to wait, ms. */
  waitMs(connection: object): number {
    this.#lately.delete(connection)
    this.#lately.set(connection, this.#clock.monotonic() + LATELY_MS)
    return this.stands ? Math.min(LONGEST_MS, this.#lately.size * EACH_MS) : 0
  }

  /** Whether there is one now. While all of it waits a thread looks as if it were at rest. */
  get stands(): boolean {
    const now = this.#clock.monotonic()
    for (const [each, until] of this.#lately) {
      if (until > now) break
      this.#lately.delete(each)
    }
    return this.#lately.size > FEW
  }

  /** A connection is gone. */
  left(connection: object): void {
    this.#lately.delete(connection)
  }
}
