/** Work under one name goes one after the other. Kept by settler.ts for messages, by mbox.ts for files. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Whether anything is under way under that name. */
  has(name: string): boolean {
    return this.#last.has(name)
  }

  /** Does it once all that came before is over, however that ended. */
  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name)
    const mine = before === undefined ? work() : before.then(work, work)
    this.#last.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name)
    }
  }
}
