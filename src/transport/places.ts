/**
 * Who has how many of the worker's places in memory. One rule keeps it fair: nobody, be it a destination or
 * a sender, may have more than there are places left (the dynamic threshold of Choudhury and Hahne). One
 * alone gets half of all; k of them get a share of k + 1 each, and as much is left for who comes next.
 */
export class Places {
  readonly #most: number
  readonly #parties = new Map<string, number>()
  #taken = 0
  #stalled = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Loads at hosts that do not answer, as far as they are not counted: at most as many as all others. */
  set stalled(loads: number) {
    this.#stalled = Math.min(loads, this.#most)
  }

  get free(): number {
    return this.#most - this.#taken + Math.min(this.#stalled, this.#taken)
  }

  of(party: string): number {
    return this.#parties.get(party) ?? 0
  }

  /** How many more this one may take. */
  room(party: string): number {
    const free = this.free
    return Math.max(0, Math.min(free, Math.floor((free - this.of(party) + 1) / 2)))
  }

  take(parties: readonly string[]): void {
    this.#taken += 1
    for (const party of parties) this.#parties.set(party, this.of(party) + 1)
  }

  leave(parties: readonly string[]): void {
    this.#taken -= 1
    for (const party of parties) {
      const left = this.of(party) - 1
      if (left > 0) this.#parties.set(party, left)
      else this.#parties.delete(party)
    }
  }
}
