/**
 * A copy of octets in a buffer that is used again (chunks.ts), lent to whoever sends them: the buffer goes back once the
 * copy is over and all who took it have given it back, and not before. Made by queue/spool.ts of what was just
 * accepted; ended by transport/newborns.ts.
 */
import { giveTaken, takeFor } from './chunks.ts'
import type { Lent } from './effect.ts'

export class Lending implements Lent {
  readonly plain: Lent['plain']
  readonly #buffer: Uint8Array
  readonly #octets: Uint8Array
  #taken = 0
  #over = false

  /** @param octets CHUNK_OCTETS at most */
  constructor(octets: Uint8Array, plain?: Lent['plain']) {
    this.plain = plain
    this.#buffer = takeFor(octets.length)
    this.#buffer.set(octets)
    this.#octets = this.#buffer.subarray(0, octets.length)
  }

  /** What it holds of memory. */
  get heldOctets(): number {
    return this.#buffer.length
  }

  take(): readonly Uint8Array[] {
    if (this.#over) throw new Error('octets were asked for behind their end')
    this.#taken += 1
    return [this.#octets]
  }

  giveBack(): void {
    this.#taken -= 1
    this.#free()
  }

  /** Nobody takes it any more. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.#free()
  }

  #free(): void {
    if (this.#over && this.#taken === 0) giveTaken(this.#buffer)
  }
}

/** Octets of one's own, and behind them what is lent. */
export function lentBehind(front: Uint8Array, lent: Lent): Lent {
  const { plain } = lent
  return { plain, take: () => [front, ...lent.take()], giveBack: () => lent.giveBack() }
}
