/**
 * Who listens to wake-ups in this process. Every store has one; that of PostgreSQL also tells the other
 * nodes (postgres/wakes.ts). A listener is told behind the turn of the one who wakes, so that it may
 * wake in its turn; several wakes of one topic within a turn are one.
 */
export class Topics {
  readonly #listeners = new Set<(topic: string) => void>()
  #waked = new Set<string>()

  wake(topic: string): void {
    if (this.#waked.size === 0) void Promise.resolve().then(() => this.#tell())
    this.#waked.add(topic)
  }

  /** The function it gives ends the listening. */
  onWake(listen: (topic: string) => void): () => void {
    this.#listeners.add(listen)
    return () => {
      this.#listeners.delete(listen)
    }
  }

  #tell(): void {
    const topics = this.#waked
    this.#waked = new Set()
    for (const topic of topics) for (const listen of this.#listeners) listen(topic)
  }
}
