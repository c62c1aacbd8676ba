/**
 * A bound on work done at once: so many run, so many wait in line, the rest are told at once that
 * there is no room. Used for password hashing (account/), where each one costs memory and a thread.
 */
export type Slotted<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy' }

export class Slots {
  readonly #atOnce: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce
    this.#waitingMax = waitingMax
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Runs `work` when it is its turn, first come first served. Rejects only if `work` does. */
  async run<T>(work: () => Promise<T>): Promise<Slotted<T>> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#waitingMax) return { kind: 'busy' }
      // Whoever leaves hands its slot over, so `#running` stays as it is.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else {
      this.#running++
    }
    try {
      return { kind: 'done', value: await work() }
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
