/** Octets just accepted, which need not be read back as long as not too many are kept for that. */
import type { Acceptance } from '../queue/acceptance.ts'
import type { Source } from '../wire/effect.ts'
import { beside } from '../wire/own.ts'

const MOST_OCTETS = 16 * 1024 * 1024

export class Newborns {
  /** By the message's id. */
  readonly #kept = new Map<string, number>()
  #octets = 0

  /** Its content without reading, where there is room; nothing where it is read from the store. */
  keep({ id, body, head }: Acceptance): (() => Source) | undefined {
    if (!(body instanceof Uint8Array) || this.#octets + body.length > MOST_OCTETS) return undefined
    this.#octets += body.length
    this.#kept.set(id, body.length)
    return () => beside(head, body)
  }

  forget(id: string): void {
    this.#octets -= this.#kept.get(id) ?? 0
    this.#kept.delete(id)
  }
}
