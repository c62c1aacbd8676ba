/**
 * Received octets that were not consumed yet, always in one piece.
 *
 * Every server and client session keeps one. A read that is consumed at once is never copied: the
 * buffer is then a view of what the socket has lent. Only a remainder (half a line, or commands
 * pipelined behind an open question) and what arrives behind it are copied, into a buffer that grows
 * by doubling, so that a peer sending single octets costs linear time. It never limits itself: the
 * pump stops reading while `length` is large.
 */
const EMPTY = Buffer.alloc(0)

export class Octets {
  /** The octets; only [from, to) are valid, and views of them only until the input returns. */
  buffer: Buffer = EMPTY
  from = 0
  to = 0
  #owned = false

  get length(): number {
    return this.to - this.from
  }

  /** Takes octets behind those not consumed yet. */
  push(octets: Uint8Array): void {
    if (this.from === this.to) {
      this.buffer = asBuffer(octets)
      this.from = 0
      this.to = octets.length
      this.#owned = false
      return
    }
    if (!this.#owned || this.to + octets.length > this.buffer.length) this.#move(octets.length)
    this.buffer.set(octets, this.to)
    this.to += octets.length
  }

  /** Called last by every input that pushed: what was lent and is not consumed is copied now. */
  keep(): void {
    if (this.from < this.to && !this.#owned) this.#move(0)
  }

  /** To a buffer of our own, with room for so many more. */
  #move(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (this.length + more)))
    grown.set(this.buffer.subarray(this.from, this.to), 0)
    this.to = this.length
    this.from = 0
    this.buffer = grown
    this.#owned = true
  }

  /** Drops the first `count` octets; lets go of the buffer once nothing is left in it. */
  consume(count: number): void {
    this.from += count
    if (this.from >= this.to) this.clear()
  }

  /** Forgets everything: RFC 3207 §4.2 demands it before TLS. */
  clear(): void {
    this.buffer = EMPTY
    this.from = 0
    this.to = 0
    this.#owned = false
  }
}

/** The same octets with the methods of Buffer: a read of Node is one already. */
function asBuffer(octets: Uint8Array): Buffer {
  return octets instanceof Buffer
    ? octets
    : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
