/**
 * What has begun and was told to nobody yet: look-ups of addresses, and connections that are not ready. A stop recalls all of
 * it at once, and waits for no name server that is dead and no host that does not greet. Kept by transport/smtp.ts.
 */
export class Beginnings {
  readonly #waiting = new Set<() => void>()
  #recalled = false

  /** Nothing more is to begin. */
  get recalled(): boolean {
    return this.#recalled
  }

  recall(): void {
    this.#recalled = true
    for (const leave of this.#waiting) leave()
  }

  /** What comes of it, or undefined as soon as all is recalled; `late` is then given what comes of it after all. */
  async of<Value>(
    begun: Promise<Value>,
    late: (value: Value) => void = () => {},
  ): Promise<Value | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const leave = () => resolve(undefined)
    this.#waiting.add(leave)
    if (this.#recalled) leave()
    const first = await Promise.race([promise, begun]).finally(() => this.#waiting.delete(leave))
    if (first === undefined) void begun.then(late).catch(() => {})
    return first
  }
}
