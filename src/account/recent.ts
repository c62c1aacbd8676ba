/**
 * A bounded memory of what was looked up last (least recently used goes first), each entry good for
 * a while. Used by the directory and by login; time is given by the caller.
 */
export class Recent<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>()
  readonly #max: number
  readonly #lifetimeMs: number

  constructor(max: number, lifetimeMs: number) {
    this.#max = max
    this.#lifetimeMs = lifetimeMs
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= now) return undefined
    // A Map keeps the order of insertion: this entry is the youngest now.
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: Value, now: number): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#max) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
    this.#entries.set(key, { value, until: now + this.#lifetimeMs })
  }

  /** Forgets the entries that `matches` picks, or all. */
  drop(matches?: (value: Value) => boolean): void {
    if (matches === undefined) {
      this.#entries.clear()
      return
    }
    for (const [key, entry] of this.#entries) if (matches(entry.value)) this.#entries.delete(key)
  }
}
