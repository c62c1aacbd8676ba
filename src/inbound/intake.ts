/**
 * Takes a message's content as it arrives and makes it a body: octets in memory while it is small,
 * a staged file once it is not, so that memory per session is bounded whatever the size.
 *
 * Called by the inbound roles for each content view of the session; it never parses anything. What
 * is to be left out of the header is told by who made it, before the first octet is staged. An octet is
 * copied once, into a buffer that is used again; once more only where somebody keeps it.
 */

import { isAscii } from 'node:buffer'
import type { Room } from '../limit/free-space.ts'
import type { Range } from '../message/complete.ts'
import {
  CHUNK_OCTETS,
  giveChunk,
  giveSmall,
  SMALL_OCTETS,
  takeChunk,
  takeSmall,
} from '../wire/chunks.ts'
import { ownJoined, ownOctets } from '../wire/own.ts'
import { type Disk, DiskFull, type StagedBody } from '../world/disk.ts'

/** Up to here a body travels inside the accept transaction at most (measured: research of the design). */
export const INLINE_MAX_BYTES = 128 * 1024

/** The first octets that are kept, for the header. */
const PREFIX_OCTETS = 131_072
/** A message begins in a small buffer, goes on in this one, and then in a chunk. */
const MIDDLE_OCTETS = 16_384
const UNSETTLED_WRITES = 2

const EMPTY = new Uint8Array(0)
const OVER = { chunk: EMPTY, octets: EMPTY }

type Ranges = readonly Range[] | Promise<readonly Range[]>

export type TakenBody =
  | Uint8Array
  | { readonly staged: string; readonly sizeOctets: number; readonly ascii: boolean }

export class Intake {
  /** It was seen to need nothing on its way (`Policy.accept`). */
  plain = false
  readonly #disk: Disk
  #buffer: Uint8Array = EMPTY
  #filled = 0
  #sizeOctets = 0
  /** The first chunk of a body that is staged, and what came in it. */
  #first: { readonly chunk: Uint8Array; readonly octets: Uint8Array } | undefined
  #staged: StagedBody | undefined
  #stage: Promise<void> | undefined
  #writes: Promise<void>[] = []
  #error: unknown
  /** Of what is staged no octet is above 127. */
  #ascii = true
  /** Octets of the prefix that were left out of the body. */
  #omittedOctets = 0
  readonly #omit: (prefix: Uint8Array) => Ranges
  readonly #inlineUpToOctets: number
  readonly #room: Room | undefined

  /**
   * @param omit what of the content's first octets, up to 128 KB, does not belong into the body; of one that
   *   stays in memory it is known at once when that is asked for
   * @param inlineUpToOctets what is larger is staged; INLINE_MAX_BYTES at most
   * @param room asked before each piece that is staged
   */
  constructor(
    disk: Disk,
    omit: (prefix: Uint8Array) => Ranges = () => [],
    inlineUpToOctets = INLINE_MAX_BYTES,
    room?: Room,
  ) {
    this.#room = room
    this.#inlineUpToOctets = inlineUpToOctets
    this.#disk = disk
    this.#omit = omit
  }

  /** As the client sent it. */
  get sizeOctets(): number {
    return this.#sizeOctets
  }

  /** The content's first octets, up to 128 KB: where a header is looked for. Valid until `over`. */
  get prefix(): Uint8Array {
    const octets = this.#first?.octets ?? this.#buffer.subarray(0, this.#filled)
    return octets.length <= PREFIX_OCTETS ? octets : octets.subarray(0, PREFIX_OCTETS)
  }

  /** Takes octets[from, to) by copy; a promise asks to wait before giving more. */
  push(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    this.#sizeOctets += to - from
    let wait: Promise<void> | undefined
    let at = from
    while (at < to) {
      const room = this.#grown(to - at)
      this.#buffer.set(octets.subarray(at, at + room), this.#filled)
      this.#filled += room
      at += room
      if (this.#filled === CHUNK_OCTETS) wait = this.#flush()
    }
    // It will not stay in memory: its file is made while the rest arrives.
    if (this.#filled > this.#inlineUpToOctets) void this.#begin()
    return wait
  }

  /** The body, complete; staged octets are durable when this resolves. Throws DiskFull. */
  async finish(): Promise<TakenBody> {
    const inline = this.lend()
    if (inline) return ownOctets(inline)
    if (this.#filled > 0) void this.#flush()
    await this.#stage
    await Promise.all(this.#writes)
    if (this.#error !== undefined) throw this.#error
    const staged = this.#staged as StagedBody
    await staged.seal()
    this.#staged = undefined
    const sizeOctets = this.#sizeOctets - this.#omittedOctets
    return { staged: staged.name, sizeOctets, ascii: this.#ascii }
  }

  /**
   * The body at once, where it needs no disk. It is lent: good until `over`, and for who keeps it to copy. Its buffer
   * may change hands, and is then no longer given back here.
   */
  lend(): Uint8Array | undefined {
    const inline = this.#first === undefined && this.#filled <= this.#inlineUpToOctets
    if (!inline) return undefined
    const octets = this.#buffer.subarray(0, this.#filled)
    const ranges = this.#omit(octets)
    if (ranges instanceof Promise) throw new Error('what is left out was not known')
    return this.#kept(octets, ranges)
  }

  /** Gives the content up; safe at any time. */
  abandon(): void {
    const staging = this.#stage
    if (staging) void staging.then(() => this.#staged?.abort()).catch(() => undefined)
    this.over()
  }

  /** The message is over: its octets, those of `prefix` too, make room for others. */
  over(): void {
    giveChunk(this.#buffer)
    giveSmall(this.#buffer)
    this.#buffer = EMPTY
    this.#filled = 0
    const first = this.#first
    if (first === undefined) return
    this.#first = OVER
    void Promise.all(this.#writes).then(() => giveChunk(first.chunk))
  }

  /** Makes room for some of `wanted` octets and says for how many. */
  #grown(wanted: number): number {
    if (this.#filled + wanted > this.#buffer.length) this.#grow(this.#filled + wanted)
    return Math.min(wanted, this.#buffer.length - this.#filled)
  }

  /** A larger buffer, as long as there is one. */
  #grow(wanted: number): void {
    const before = this.#buffer
    if (before.length === CHUNK_OCTETS) return
    this.#buffer =
      this.#first !== undefined || wanted > MIDDLE_OCTETS
        ? takeChunk()
        : wanted > SMALL_OCTETS
          ? Buffer.allocUnsafeSlow(MIDDLE_OCTETS)
          : takeSmall()
    if (this.#filled > 0) this.#buffer.set(before.subarray(0, this.#filled))
    giveSmall(before)
  }

  /** Hands the full buffer to the disk; waits while too much is on its way. */
  #flush(): Promise<void> | undefined {
    const chunk = this.#buffer
    const octets = chunk.subarray(0, this.#filled)
    const isFirst = this.#first === undefined
    if (isFirst) this.#first = { chunk, octets }
    const kept = isFirst ? this.#keptLater(octets) : octets
    this.#buffer = EMPTY
    this.#filled = 0
    const write = Promise.all([kept, this.#begin()])
      .then(([kept]) => this.#write(kept))
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#writes = this.#writes.filter(w => w !== write)
        if (!isFirst) giveChunk(chunk)
      })
    this.#writes.push(write)
    return this.#writes.length >= UNSETTLED_WRITES ? this.#writes[0] : undefined
  }

  /** What cannot be kept whole is not written on, and takes no room. */
  async #write(octets: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return
    if (this.#room && !(await this.#room.for(octets.length))) {
      throw new DiskFull('the free space that is left is kept in reserve')
    }
    this.#ascii &&= isAscii(octets)
    await this.#staged?.write(octets)
  }

  #begin(): Promise<void> {
    this.#stage ??= this.#disk.stage().then(
      staged => {
        this.#staged = staged
      },
      (error: unknown) => this.#fail(error),
    )
    return this.#stage
  }

  #fail(error: unknown): void {
    if (this.#error !== undefined) return
    this.#error = error
    void this.#staged?.abort().catch(() => undefined)
  }

  /** Octets without what of their first 128 KB is to be left out. */
  #keptLater(octets: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const ranges = this.#omit(octets.subarray(0, PREFIX_OCTETS))
    if (!(ranges instanceof Promise)) return this.#kept(octets, ranges)
    return ranges.then(known => this.#kept(octets, known))
  }

  #kept(octets: Uint8Array, ranges: readonly Range[]): Uint8Array {
    if (ranges.length === 0) return octets
    const pieces: Uint8Array[] = []
    let at = 0
    for (const { from, to } of ranges) {
      pieces.push(octets.subarray(at, from))
      this.#omittedOctets += to - from
      at = to
    }
    pieces.push(octets.subarray(at))
    return ownJoined(...pieces)
  }
}
