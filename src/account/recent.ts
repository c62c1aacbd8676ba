/**
 * A bounded memory of what was looked up last, each entry good for a while. Used by the directory and by
 * login; time is given by the caller.
 *
 * Entries stand in two halves. A new one goes into the young half; when that is full it becomes the old one,
 * and what was old and not asked for meanwhile is forgotten. To find a young entry changes nothing: to put
 * it last in one map at every look, as a strict order would want, cost more than the look.
 */
interface Entry<Value> {
  readonly value: Value
  readonly until: number
}

export class Recent<Value> {
  #young = new Map<string, Entry<Value>>()
  #old = new Map<string, Entry<Value>>()
  readonly #halfMax: number
  readonly #lifetimeMs: number

  /** @param max entries at most; half as many are kept whatever comes */
  constructor(max: number, lifetimeMs: number) {
    this.#halfMax = Math.max(1, Math.floor(max / 2))
    this.#lifetimeMs = lifetimeMs
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: string, now: number): Value | undefined {
    const entry = this.#young.get(key) ?? this.#renewed(key)
    if (entry === undefined) return undefined
    if (entry.until > now) return entry.value
    this.#young.delete(key)
    return undefined
  }

  set(key: string, value: Value, now: number): void {
    this.#old.delete(key)
    this.#put(key, { value, until: now + this.#lifetimeMs })
  }

  /** Forgets the entries that `matches` picks, or all. */
  drop(matches?: (value: Value) => boolean): void {
    for (const half of [this.#young, this.#old]) {
      if (matches === undefined) half.clear()
      else for (const [key, entry] of half) if (matches(entry.value)) half.delete(key)
    }
  }

  /** An old entry that is asked for is young again. */
  #renewed(key: string): Entry<Value> | undefined {
    const entry = this.#old.get(key)
    if (entry === undefined) return undefined
    this.#old.delete(key)
    this.#put(key, entry)
    return entry
  }

  #put(key: string, entry: Entry<Value>): void {
    if (this.#young.size >= this.#halfMax && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, entry)
  }
}
