/**
 * Takes a message's content as it arrives and makes it a body: octets in memory while it is small,
 * a staged file once it is not, so that memory per session is bounded whatever the size.
 *
 * Called by the inbound roles for each content view of the session; it never parses anything. What
 * is to be left out of the header is told by who made it, before the first octet is staged.
 */
import type { Range } from '../message/complete.ts'
import type { Disk, StagedBody } from '../world/disk.ts'

/** Up to here a body travels inside the accept transaction at most (measured: research of the design). */
export const INLINE_MAX_BYTES = 128 * 1024

const CHUNK_BYTES = 256 * 1024
const UNSETTLED_WRITES = 2

export type TakenBody = Uint8Array | { readonly staged: string; readonly sizeOctets: number }

export class Intake {
  readonly #disk: Disk
  #buffer: Uint8Array
  #filled = 0
  #sizeOctets = 0
  /** The first octets of a staged body, kept for the header. */
  #prefix: Uint8Array | undefined
  #staged: StagedBody | undefined
  #stage: Promise<void> | undefined
  #writes: Promise<void>[] = []
  /** Chunks whose write is done, to be filled again: memory is bounded without the collector's help. */
  readonly #spare: Uint8Array[] = []
  #error: unknown
  /** Octets of the prefix that were left out of the body. */
  #omittedOctets = 0
  readonly #omit: (prefix: Uint8Array) => readonly Range[]
  readonly #inlineUpToOctets: number

  /**
   * @param expectedOctets what the client declared (RFC 1870), or 0
   * @param omit what of the content's first octets, up to 128 KB, does not belong into the body
   * @param inlineUpToOctets what is larger is staged; INLINE_MAX_BYTES at most
   */
  constructor(
    disk: Disk,
    expectedOctets: number,
    omit: (prefix: Uint8Array) => readonly Range[] = () => [],
    inlineUpToOctets = INLINE_MAX_BYTES,
  ) {
    this.#inlineUpToOctets = inlineUpToOctets
    this.#disk = disk
    this.#omit = omit
    this.#buffer = new Uint8Array(Math.min(Math.max(expectedOctets, 2048), INLINE_MAX_BYTES))
  }

  /** As the client sent it. */
  get sizeOctets(): number {
    return this.#sizeOctets
  }

  /** The content's first octets, up to 128 KB: where a header is looked for. */
  get prefix(): Uint8Array {
    return this.#prefix ?? this.#buffer.subarray(0, this.#filled)
  }

  /** Takes octets[from, to) by copy; a promise asks to wait before giving more. */
  push(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    this.#sizeOctets += to - from
    let wait: Promise<void> | undefined
    let at = from
    while (at < to) {
      const room = this.#room(to - at)
      this.#buffer.set(octets.subarray(at, at + room), this.#filled)
      this.#filled += room
      at += room
      if (this.#filled === this.#limit()) wait = this.#flush()
    }
    return wait
  }

  /** The body, complete; staged octets are durable when this resolves. Throws DiskFull. */
  async finish(): Promise<TakenBody> {
    const inline = this.finishInline()
    if (inline) return inline
    if (this.#filled > 0) void this.#flush()
    await this.#stage
    await Promise.all(this.#writes)
    if (this.#error !== undefined) throw this.#error
    const staged = this.#staged as StagedBody
    await staged.seal()
    this.#staged = undefined
    return { staged: staged.name, sizeOctets: this.#sizeOctets - this.#omittedOctets }
  }

  /** The body at once, where it needs no disk. */
  finishInline(): Uint8Array | undefined {
    const inline = this.#prefix === undefined && this.#filled <= this.#inlineUpToOctets
    return inline ? this.#dedicated() : undefined
  }

  /** Gives the content up; safe at any time. */
  abandon(): void {
    const staging = this.#stage
    if (!staging) return
    void staging.then(() => this.#staged?.abort()).catch(() => undefined)
  }

  /** Where the buffer is to be cut: the inline limit first, whole chunks later. */
  #limit(): number {
    return this.#prefix === undefined ? INLINE_MAX_BYTES : CHUNK_BYTES
  }

  /** Makes room for some of `wanted` octets and says for how many. */
  #room(wanted: number): number {
    const limit = this.#limit()
    if (this.#filled === this.#buffer.length && this.#filled < limit) {
      const grown = new Uint8Array(
        Math.min(limit, Math.max(this.#filled * 2, this.#filled + wanted)),
      )
      grown.set(this.#buffer.subarray(0, this.#filled))
      this.#buffer = grown
    }
    return Math.min(wanted, this.#buffer.length - this.#filled)
  }

  /** Hands the full buffer to the disk; waits while too much is on its way. */
  #flush(): Promise<void> | undefined {
    let octets = this.#buffer.subarray(0, this.#filled)
    const chunk = this.#prefix === undefined ? undefined : this.#buffer
    if (this.#prefix === undefined) {
      this.#prefix = octets
      octets = this.#kept(octets)
    }
    this.#buffer = this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES)
    this.#filled = 0
    this.#stage ??= this.#disk.stage().then(
      staged => {
        this.#staged = staged
      },
      (error: unknown) => this.#fail(error),
    )
    const write = this.#stage
      .then(() => this.#staged?.write(octets))
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#writes = this.#writes.filter(w => w !== write)
        if (chunk) this.#spare.push(chunk)
      })
    this.#writes.push(write)
    return this.#writes.length >= UNSETTLED_WRITES ? this.#writes[0] : undefined
  }

  #fail(error: unknown): void {
    this.#error ??= error
  }

  /** The first octets without what is to be left out. */
  #kept(prefix: Uint8Array): Uint8Array {
    const ranges = this.#omit(prefix)
    if (ranges.length === 0) return prefix
    const pieces: Uint8Array[] = []
    let at = 0
    for (const { from, to } of ranges) {
      pieces.push(prefix.subarray(at, from))
      this.#omittedOctets += to - from
      at = to
    }
    pieces.push(prefix.subarray(at))
    return Buffer.concat(pieces)
  }

  /** An exact buffer of its own: what crosses to the committer is cloned whole, not as a view. */
  #dedicated(): Uint8Array {
    const kept = this.#kept(this.#buffer.subarray(0, this.#filled))
    return kept.length === kept.buffer.byteLength ? kept : Uint8Array.prototype.slice.call(kept)
  }
}
