/**
 * Structures of bodies, remembered by the body's number: clients ask for the structure and then for the parts one by
 * one. How many there may be hangs on how large they are: a message may have thousands of parts, and a
 * part thousands of parameters. Those asked for longest ago are forgotten first.
 */
import type { Part } from '../message/structure.ts'

/** Parts, and 64 octets of a header each, of all that are remembered; and of one of them. */
const WEIGHT_MAX = 50_000
const ONE_MAX = 5_000

export class KnownStructures {
  readonly #known = new Map<number, { readonly root: Part; readonly weight: number }>()
  #weight = 0

  get(bodyId: number): Part | undefined {
    return this.#known.get(bodyId)?.root
  }

  set(bodyId: number, root: Part, weight: number): void {
    if (weight > ONE_MAX || this.#known.has(bodyId)) return
    this.#known.set(bodyId, { root, weight })
    this.#weight += weight
    for (const [oldest, { weight: less }] of this.#known) {
      if (this.#weight <= WEIGHT_MAX) break
      this.#known.delete(oldest)
      this.#weight -= less
    }
  }
}
