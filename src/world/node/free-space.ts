/**
 * How much a file system still takes, asked again once the last answer is old; what is written meanwhile is
 * taken from it. Called by disk.ts; a look costs microseconds of a thread of the pool, and none while many ask at once.
 */
import { statfs } from 'node:fs/promises'

const FRESH_MS = 250

export class FreeSpace {
  readonly #path: string
  #known = 0
  #knownAt = Number.NEGATIVE_INFINITY
  #look: Promise<number> | undefined

  /** @param path anything on that file system */
  constructor(path: string) {
    this.#path = path
  }

  /** What is free for us: at once while it is known, else when it has been looked at. */
  octets(): number | Promise<number> {
    if (performance.now() - this.#knownAt < FRESH_MS) return this.#known
    this.#look ??= this.#looked()
    return this.#look
  }

  /** So many are about to be written. */
  took(octets: number): void {
    this.#known -= octets
  }

  async #looked(): Promise<number> {
    try {
      const { bavail, bsize } = await statfs(this.#path)
      this.#known = bavail * bsize
    } catch {
      // Whoever writes will learn what is wrong with it.
      this.#known = Number.POSITIVE_INFINITY
    }
    this.#knownAt = performance.now()
    this.#look = undefined
    return this.#known
  }
}
