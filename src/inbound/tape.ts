/**
 * Keeps the content of a transaction with a name as it arrives, in pieces that each are durable, so that
 * what was received outlives the connection, the process and the machine (RFC 1845). A piece
 * ends where a line does: whoever goes on there starts with a line, and dots are doubled at line starts.
 *
 * Made by checkpoint.ts beside the Intake, which makes the body; this one only keeps. It never fails a
 * message: where a piece cannot be kept, no further ones are.
 */
import type { Disk, StagedBody } from '../world/disk.ts'

const CR = 13
const LF = 10
/** Octets in memory before they are written; a smaller message touches no disk. */
const BUFFER_OCTETS = 128 * 1024
/** From here on a piece ends with the next line: so much a crash may cost. */
const PIECE_OCTETS = 1024 * 1024
const UNSETTLED_WRITES = 2

/** A sealed piece. Its first `sizeOctets` octets are whole lines; the rest does not count. */
export interface SealedPiece {
  readonly staged: string
  readonly stagedOctets: number
  readonly sizeOctets: number
}

export class Tape {
  readonly #disk: Disk
  /** True where the content has no lines: it may be cut anywhere. */
  readonly #binary: boolean
  /** Makes a row of a piece; false where it is not to be kept. */
  readonly #keep: (piece: SealedPiece) => Promise<boolean>
  #buffer = new Uint8Array(0)
  #filled = 0
  /** Octets of the present piece, and how many of them are whole lines. */
  #octets = 0
  #lines = 0
  #last = 0
  #staged: StagedBody | undefined
  /** What is to be done with the disk, one after the other. */
  #chain: Promise<void> = Promise.resolve()
  #waiting = 0
  #over = false

  constructor(disk: Disk, binary: boolean, keep: (piece: SealedPiece) => Promise<boolean>) {
    this.#disk = disk
    this.#binary = binary
    this.#keep = keep
  }

  /** Takes octets[from, to) by copy; a promise asks to wait before giving more. */
  push(octets: Uint8Array, from: number, to: number): Promise<void> | undefined {
    if (this.#over || from === to) return undefined
    const end = this.#binary ? to : this.#lineEnd(octets, from, to)
    this.#last = octets[to - 1] ?? 0
    if (end > from && this.#octets + (end - from) >= PIECE_OCTETS) {
      this.#take(octets, from, end)
      this.#lines = this.#octets
      this.#cut()
      this.#take(octets, end, to)
    } else {
      if (end > from) this.#lines = this.#octets + (end - from)
      this.#take(octets, from, to)
    }
    return this.#waiting >= UNSETTLED_WRITES ? this.#chain : undefined
  }

  /** No more will come now: keeps what is whole of it. Never rejects. */
  async end(): Promise<void> {
    if (!this.#over && this.#lines > 0) this.#cut()
    else this.#drop()
    this.#over = true
    await this.#chain
  }

  /** Nothing of the present piece is needed. Never rejects. */
  async abandon(): Promise<void> {
    this.#over = true
    this.#drop()
    await this.#chain
  }

  /** Behind the last line end in octets[from, to); `from` where there is none. */
  #lineEnd(octets: Uint8Array, from: number, to: number): number {
    for (let lf = octets.lastIndexOf(LF, to - 1); lf >= from; lf = octets.lastIndexOf(LF, lf - 1)) {
      if ((lf > from ? octets[lf - 1] : this.#last) === CR) return lf + 1
      if (lf === 0) break
    }
    return from
  }

  #take(octets: Uint8Array, from: number, to: number): void {
    this.#octets += to - from
    for (let at = from; at < to; ) {
      if (this.#filled === this.#buffer.length) this.#grow(to - at)
      const room = Math.min(to - at, this.#buffer.length - this.#filled)
      this.#buffer.set(octets.subarray(at, at + room), this.#filled)
      this.#filled += room
      at += room
      if (this.#filled === BUFFER_OCTETS) this.#flush()
    }
  }

  #grow(wanted: number): void {
    const size = Math.max(2048, this.#filled * 2, this.#filled + wanted)
    const grown = new Uint8Array(Math.min(BUFFER_OCTETS, size))
    grown.set(this.#buffer.subarray(0, this.#filled))
    this.#buffer = grown
  }

  #flush(): void {
    const octets = this.#buffer.subarray(0, this.#filled)
    this.#buffer = new Uint8Array(0)
    this.#filled = 0
    if (octets.length === 0) return
    this.#then(async () => {
      this.#staged ??= await this.#disk.stage()
      await this.#staged.write(octets)
    })
  }

  /** Ends the present piece. */
  #cut(): void {
    this.#flush()
    const stagedOctets = this.#octets
    const sizeOctets = this.#lines
    this.#octets = 0
    this.#lines = 0
    this.#then(async () => {
      const staged = this.#staged
      this.#staged = undefined
      if (staged === undefined) return
      await staged.seal()
      if (await this.#keep({ staged: staged.name, stagedOctets, sizeOctets })) return
      this.#over = true
      await this.#disk.remove(staged.name)
    })
  }

  #drop(): void {
    this.#filled = 0
    this.#then(async () => {
      const staged = this.#staged
      this.#staged = undefined
      await staged?.abort()
    })
  }

  /** A fault ends the keeping, and nothing else. */
  #then(work: () => Promise<void>): void {
    this.#waiting += 1
    this.#chain = this.#chain
      .then(work)
      .catch(async () => {
        this.#over = true
        const staged = this.#staged
        this.#staged = undefined
        await staged?.abort()
      })
      .catch(() => undefined)
      .then(() => {
        this.#waiting -= 1
      })
  }
}
