/**
 * How many loads one destination is given at once: a window that opens while they go well and closes while
 * the host cannot be spoken to, by the feedback that Postfix 2.5 introduced (its SCHEDULER_README). Pure.
 *
 * A window begins with few and doubles with each cohort (as many successes as it is wide) until the first
 * failure; from then on a cohort adds one, and the first failure of a cohort takes one away at once.
 * Failures of a whole cohort with no success between them mean that nobody is there.
 */

export interface WindowLimits {
  /** Where a window begins, and how far it opens ahead of what is really under way. */
  readonly initial: number
  readonly most: number
  /** Cohorts that fail before a destination counts as down. */
  readonly cohorts: number
}

/** What one failure counts: all of a host that was not reached, half of one that broke off in mid-session. */
export type Weight = 1 | 0.5

/** Thirds do not add up to a whole. */
const ROUNDING = 1e-9

export class Window {
  #size: number
  #success = 0
  #failure = 0
  #failedCohorts = 0
  #doubling = true

  constructor(size: number) {
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  /** @param busy loads under way: a window that is not used does not open further */
  succeeded(busy: number, { initial, most }: WindowLimits): void {
    this.#failedCohorts = 0
    if (this.#size >= most) {
      this.#size = most
      this.#doubling = false
      return
    }
    if (this.#size >= busy + initial) return
    this.#success += this.#doubling ? 1 : 1 / this.#size
    if (this.#success < 1 - ROUNDING) return
    this.#size += 1
    this.#failure = 0
    this.#success -= 1
  }

  /** True where this was the last failure it took: nobody is there. */
  failed(weight: Weight, { cohorts }: WindowLimits): boolean {
    this.#doubling = false
    this.#failedCohorts += weight / this.#size
    if (this.#failedCohorts >= cohorts - ROUNDING) return true
    this.#failure -= 1 / this.#size
    if (this.#failure < -ROUNDING) {
      this.#size = Math.max(1, this.#size - 1)
      this.#failure += 1
      this.#success = 0
    }
    return false
  }
}
