/**
 * Content as BDAT chunks (RFC 3030 §2): commands and their counted octets in one stream, as §4.2 lets
 * them be pipelined. Called by transaction.ts, which reads the replies. Once one chunk is refused the
 * one under way is finished, so that both sides stay in step, and no other begins.
 */
import type { Transform } from '../../wire/effect.ts'
import type { ContentWatch } from './content.ts'

const nothing = new Uint8Array(0)

export class Chunks implements Transform {
  /** How many chunks the content makes. */
  readonly count: number
  /** Chunks whose command has left, and of those how many have left whole. */
  announced = 0
  complete = 0
  readonly #sizeOctets: number
  readonly #chunkOctets: number
  readonly #watch: ChunkWatch
  /** Octets of the chunk under way, and of all behind it, that have not come. */
  #left = 0
  #rest: number
  /** No further octet leaves. */
  #over: 'stopped' | 'too long' | undefined

  /** @param sizeOctets exactly what the source yields: more or less must not become a message */
  constructor(sizeOctets: number, chunkOctets: number, watch: ChunkWatch) {
    this.#sizeOctets = sizeOctets
    this.#rest = sizeOctets
    this.#chunkOctets = chunkOctets
    this.#watch = watch
    this.count = Math.max(1, Math.ceil(sizeOctets / chunkOctets))
  }

  /** After the chunk under way nothing more is to leave. */
  stop(): void {
    this.#over ??= 'stopped'
  }

  push(octets: Uint8Array): Uint8Array {
    this.#watch.moved()
    // The last octet is held back with those that are too many: the hop never sees an end.
    const open = this.#over === undefined ? this.#left + this.#rest : Number.POSITIVE_INFINITY
    if (octets.length > open || (octets.length === open && this.#watch.withheld()))
      this.#over = 'too long'
    const out: Uint8Array[] = []
    for (let at = 0; at < octets.length; ) {
      if (this.#left === 0 && !this.#begin(out)) break
      if (this.#over === 'too long') break
      const taken = octets.subarray(at, at + this.#left)
      at += taken.length
      this.#left -= taken.length
      out.push(taken)
      if (this.#left === 0) this.#completed()
    }
    return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out)
  }

  end(): Uint8Array {
    if (this.#sizeOctets === 0 && this.#over === undefined) {
      const out: Uint8Array[] = []
      this.#begin(out)
      this.#completed()
      return out[0] ?? nothing
    }
    const short = this.#left > 0 || (this.#rest > 0 && this.#over === undefined)
    if (short || this.#over === 'too long') this.#watch.differs()
    return nothing
  }

  /** `BDAT n [LAST]`, where a further chunk may begin. */
  #begin(out: Uint8Array[]): boolean {
    if (this.#over !== undefined) return false
    this.#left = Math.min(this.#rest, this.#chunkOctets)
    this.#rest -= this.#left
    const command = `BDAT ${this.#left}${this.#rest === 0 ? ' LAST' : ''}\r\n`
    this.announced += 1
    this.#watch.announced(command)
    out.push(Buffer.from(command))
    return true
  }

  #completed(): void {
    this.complete += 1
    // With its last octet the message is complete, whether or not the source has ended.
    if (this.complete === this.count) this.#watch.ending()
  }
}

export interface ChunkWatch extends ContentWatch {
  /** A command leaves, with its CRLF. */
  announced(command: string): void
  /** The content is not as long as it was said to be. */
  differs(): void
}
