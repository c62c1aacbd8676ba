/**
 * Long work takes a breath: where the process was kept busy for a millisecond, others get their turn before it goes
 * on. For work that awaits only what is answered at once, such as near readers, and for the input of peers that is dear or
 * not known to be cheap (pace.ts). All long work of a clock waits in one line, of which one goes on in each turn of
 * the event loop: many at once would else be one long turn together. What comes new has a millisecond of its own in
 * each turn, ahead of the line: who asks for little waits for none of those who ask for much.
 */
import type { Clock, Timer } from './clock.ts'

/** So long nobody minds: who says a dozen things, one behind the other, waits for each of them for as long. */
const BUSY_MS = 1

export class Breath {
  readonly #clock: Clock
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>()
  /** When work began, of what came new or of who goes on; undefined where there was none yet. */
  #since: number | undefined
  #turning = false

  /** Use `breathOf`, so that there is one. */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A promise where it is time for one; work goes on at once where it is not. */
  due(): Promise<void> | undefined {
    if (this.full) return new Promise(resolve => void this.#waiting.add(resolve))
    this.began()
    return undefined
  }

  /** Whether there is no room left in this turn for work that may wait. */
  get full(): boolean {
    return this.#since !== undefined && this.#clock.monotonic() - this.#since >= BUSY_MS
  }

  /** Work that may be long begins now. */
  began(): void {
    if (this.#since === undefined) this.#begin()
  }

  /** Runs in a turn of its own, behind all who wait. */
  next(run: () => void): Timer {
    const mine = () => run()
    this.#waiting.add(mine)
    this.#turn()
    return { cancel: () => void this.#waiting.delete(mine) }
  }

  #begin(): void {
    this.#since = this.#clock.monotonic()
    this.#turn()
  }

  /** Once in each turn of the event loop: who has waited longest goes on, and behind him all begins anew. */
  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    this.#clock.after(0, () => {
      this.#since = undefined
      const [next] = this.#waiting
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#begin()
      next()
    })
    // Behind all that he does without waiting for anything.
    this.#clock.after(0, () => {
      this.#since = undefined
      this.#turning = false
      if (this.#waiting.size > 0) this.#turn()
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
