/** What was learnt of some hosts, believed for a while and of so many at most. Kept by transport/smtp.ts. */
import type { Clock } from '../world/clock.ts'

export interface RememberedOptions {
  readonly forMs: number
  readonly most: number
}

/** How long a host that loses pipelined commands is spoken to step by step, and how many are known. */
export const STEPWISE = { forMs: 3_600_000, most: 1_000 } as const

/** RFC 5321 §4.5.4.1: hosts that could not be reached are remembered; for so long others go before them. */
export const UNREACHABLE = { forMs: 60_000, most: 1_000 } as const

export class Remembered {
  readonly #clock: Clock
  readonly #options: RememberedOptions
  /** Until when, in monotonic ms; the oldest first. */
  readonly #until = new Map<string, number>()

  constructor(clock: Clock, options: RememberedOptions) {
    this.#clock = clock
    this.#options = options
  }

  has(key: string): boolean {
    return (this.#until.get(key) ?? 0) > this.#clock.monotonic()
  }

  add(key: string): void {
    const [oldest] = this.#until.keys()
    if (oldest !== undefined && this.#until.size >= this.#options.most) this.#until.delete(oldest)
    this.#until.delete(key)
    this.#until.set(key, this.#clock.monotonic() + this.#options.forMs)
  }

  forget(key: string): void {
    this.#until.delete(key)
  }
}
