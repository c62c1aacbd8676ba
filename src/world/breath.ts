/**
 * Long work takes a breath: where it has kept the process busy for some milliseconds, others get their turn
 * before it goes on. For work that awaits only what is answered at once, such as near readers.
 */
import { type Clock, sleep } from './clock.ts'

/** So long nobody minds. */
const BUSY_MS = 5

export class Breath {
  readonly #clock: Clock
  #since = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A promise where it is time for one; work goes on at once where it is not. */
  due(): Promise<void> | undefined {
    if (this.#clock.monotonic() - this.#since < BUSY_MS) return undefined
    return sleep(this.#clock, 0).then(() => {
      this.#since = this.#clock.monotonic()
    })
  }
}

/** Does work that comes in steps, with a breath wherever one is due. */
export async function rested<T>(work: Generator<undefined, T>, breath: Breath): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await breath.due()
  }
}
