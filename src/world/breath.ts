/**
 * Long work takes a breath: where the process was kept busy for some milliseconds, others get their turn before it goes
 * on. For work that awaits only what is answered at once, such as near readers. All long work of a clock waits in one
 * line, of which one goes on in each turn of the event loop: many at once would else be one long turn together.
 */
import type { Clock } from './clock.ts'

/** So long nobody minds. */
const BUSY_MS = 5

export class Breath {
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  /** When the first work of this turn began; undefined where there was none yet. */
  #since: number | undefined

  /** Use `breathOf`, so that there is one. */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A promise where it is time for one; work goes on at once where it is not. */
  due(): Promise<void> | undefined {
    if (this.#since === undefined) {
      this.#begin()
      return undefined
    }
    if (this.#clock.monotonic() - this.#since < BUSY_MS) return undefined
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** The turn of the event loop that is now; in the next one who has waited longest goes on. */
  #begin(): void {
    this.#since = this.#clock.monotonic()
    this.#clock.after(0, () => {
      this.#since = undefined
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#begin()
      next()
    })
  }
}

const breaths = new WeakMap<Clock, Breath>()

/** The one of a clock. */
export function breathOf(clock: Clock): Breath {
  const known = breaths.get(clock) ?? new Breath(clock)
  breaths.set(clock, known)
  return known
}

/** Does work that comes in steps, with a breath wherever one is due. */
export async function rested<T>(work: Generator<undefined, T>, breath: Breath): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await breath.due()
  }
}
