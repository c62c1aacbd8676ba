/**
 * What a session has sent and the transport has not yet taken, in order: text, octets and streams.
 * The pump is its only caller. Everything gathered during one input leaves in one write; a stream is
 * pulled only as fast as the connection drains. It knows no session, no question and no deadline.
 */
import { isLent, type Lent, type Source, type Transform } from '../wire/effect.ts'
import { joined, type Output } from '../wire/output.ts'
import type { Connection } from './net.ts'

/** Octets at hand leave in slices of this size; as many need not be in slices at all. */
const SLICE_OCTETS = 65536
/** Streamed octets are gathered to this size before they are written. A piece of it is never copied. */
const WRITE_OCTETS = 16384

/** A source that is pulled piece by piece. */
interface Pulled {
  readonly source: AsyncIterable<Uint8Array>
  readonly transform: Transform | undefined
}

/** Octets at hand that are more than one slice. */
interface Fed {
  readonly slices: Uint8Array[]
  readonly transform: Transform | undefined
  readonly end: Left | undefined
}

/** Stands behind octets that were lent: what is to be done once they have left. */
interface Left {
  left(): void
}

type Piece = Output | Left | Fed | Pulled

export interface OutboxOwner {
  /** A stream has ended. */
  settle(): void
  /** Its source has thrown. */
  broken(event: string, error: unknown): void
}

/** Never added to: an array that has had one entry keeps room for sixteen more. */
const NONE: Piece[] = []
const NOTHING: (Output | Left)[] = []

export class Outbox {
  /** Where it goes; the pump exchanges it while nothing is here. */
  connection: Connection
  readonly #owner: OutboxOwner
  /** Nearly always all there is: one reply. Nothing is queued meanwhile. */
  #only: Output | undefined
  #queue: Piece[] = NONE
  #pulling = false
  /** What leaves slice by slice, and what leaves with the next one. */
  #fed: Fed | undefined
  #held: (Output | Left)[] = NOTHING
  #gone = false
  #wake: (() => void) | undefined
  /** True from a write that returned false until the connection has drained. */
  waiting = false
  /** Octets that wait here; a stream not yet begun counts as one write. */
  queuedOctets = 0
  /** Octets that have left, as far as the transport tells: how the pump knows a slow reader from a dead one. */
  progress = 0
  /** Octets that the transport holds since it had enough. */
  #owedOctets = 0

  constructor(connection: Connection, owner: OutboxOwner) {
    this.connection = connection
    this.#owner = owner
  }

  /** Nothing is left here; the transport may still hold some of it. */
  get empty(): boolean {
    return this.#only === undefined && this.#queue.length === 0 && !this.#streams
  }

  /** All of it was handed over and the transport takes more. */
  get idle(): boolean {
    return this.empty && !this.waiting
  }

  /** A stream is under way: what was sent behind it waits. */
  get #streams(): boolean {
    return this.#pulling || this.#fed !== undefined
  }

  send(output: Output): void {
    if (output.length === 0) return
    this.queuedOctets += output.length
    if (this.#queue.length > 0) this.#join(output)
    else if (this.#only === undefined) this.#only = output
    else if (typeof this.#only === 'string' && typeof output === 'string') this.#only += output
    else this.#append(output)
  }

  /** Texts that stand beside each other become one. */
  #join(output: Output): void {
    const last = this.#queue.length - 1
    const before = this.#queue[last]
    if (typeof before === 'string' && typeof output === 'string') {
      this.#queue[last] = before + output
    } else {
      this.#queue.push(output)
    }
  }

  #append(piece: Piece): void {
    if (this.#queue.length > 0) this.#queue.push(piece)
    else this.#queue = this.#only === undefined ? [piece] : [this.#only, piece]
    this.#only = undefined
  }

  stream(source: Source | Lent, transform?: Transform): void {
    if (source instanceof Uint8Array) this.#feed([source], transform)
    else if (isLent(source)) this.#lend(source, transform)
    else {
      this.queuedOctets += WRITE_OCTETS
      this.#append({ source, transform })
    }
  }

  #lend(lent: Lent, transform: Transform | undefined): void {
    try {
      this.#feed(lent.take(), transform, { left: () => lent.giveBack() })
    } catch (error) {
      this.#owner.broken('source-failed', error)
    }
  }

  #feed(pieces: readonly Uint8Array[], transform: Transform | undefined, end?: Left): void {
    let octets = 0
    for (const piece of pieces) octets += piece.length
    if (octets > SLICE_OCTETS) {
      this.queuedOctets += WRITE_OCTETS
      this.#append({ slices: pieces.flatMap(slicesOf), transform, end })
      return
    }
    for (const piece of pieces) this.send(transform ? transform.push(piece) : piece)
    if (end) this.#append(end)
    if (transform) this.send(transform.end())
  }

  /** Hands over what can be handed over now: one write for all that stands before a stream. */
  flush(): void {
    if (this.#only !== undefined) {
      if (this.waiting || this.#pulling || this.#gone) return
      if (this.#fed === undefined) {
        const only = this.#only
        this.#only = undefined
        this.queuedOctets = 0
        this.#hand(only)
        return
      }
    }
    while (!this.waiting && !this.#pulling && !this.#gone) {
      if (this.#fed !== undefined) this.#next(this.#fed)
      else if (this.#queue.length === 0) return
      else this.#leave()
    }
  }

  /** What stands before the next stream leaves; or, where it is large, with the first octets of that. */
  #leave(): void {
    const stream = this.#queue.findIndex(isStream)
    if (stream === -1) {
      const pieces = this.#queue as (Output | Left)[]
      const small = this.queuedOctets < WRITE_OCTETS && pieces.every(isOutput)
      this.queuedOctets = 0
      this.#queue = NONE
      if (small) this.#hand(joined(pieces as Output[]))
      else this.#write(pieces)
      return
    }
    const before = this.#queue.splice(0, stream) as (Output | Left)[]
    const next = this.#queue.shift() as Fed | Pulled
    for (const piece of before) this.queuedOctets -= sizeOf(piece)
    if ('source' in next) void this.#pull(next, before)
    else {
      this.#fed = next
      this.#held = before
    }
  }

  /** The next slice leaves; the last one goes back to the head of the queue, to leave with what was sent behind it. */
  #next({ slices, transform, end }: Fed): void {
    const pieces = [...this.#held]
    this.#held = NOTHING
    for (let octets = 0; slices.length > 0 && octets < WRITE_OCTETS; ) {
      const slice = slices.shift() as Uint8Array
      const output = transform ? transform.push(slice) : slice
      if (output.length > 0) pieces.push(output)
      octets += output.length
    }
    if (slices.length > 0) {
      this.#write(pieces)
      return
    }
    if (end) pieces.push(end)
    const rest = transform?.end()
    if (rest?.length) pieces.push(rest)
    this.#fed = undefined
    this.#last(pieces)
  }

  /** A stream has come to its end, and these are its last pieces. */
  #last(pieces: readonly (Output | Left)[]): void {
    this.queuedOctets -= WRITE_OCTETS
    for (const piece of pieces) this.queuedOctets += sizeOf(piece)
    const behind = this.#only === undefined ? this.#queue : [this.#only]
    this.#only = undefined
    this.#queue = [...pieces, ...behind]
  }

  /** The connection has drained. */
  drained(): void {
    this.waiting = false
    this.progress += this.#owedOctets
    this.#owedOctets = 0
    this.#wake?.()
    this.#wake = undefined
  }

  /**
   * The connection is gone: forgets everything and lets a stream's source close. What was lent is not given back: nobody
   * can tell what the transport still looks at.
   */
  stop(): void {
    this.#gone = true
    this.#only = undefined
    this.#fed = undefined
    this.#held = NOTHING
    this.#queue = NONE
    this.queuedOctets = 0
    this.#wake?.()
    this.#wake = undefined
  }

  #hand(output: Output | readonly Output[], left?: () => void): void {
    this.#owedOctets += Array.isArray(output)
      ? output.reduce((sum: number, piece: Output) => sum + piece.length, 0)
      : output.length
    if (!this.connection.write(output, left)) this.waiting = true
    if (this.waiting) return
    this.progress += this.#owedOctets
    this.#owedOctets = 0
  }

  /** All in one write. Neighbours that are small are joined, a large piece stands by itself: it is not worth a copy. */
  #write(pieces: readonly (Output | Left)[]): void {
    const outputs: Output[] = []
    const lefts: Left[] = []
    let small: Output[] = []
    let smallOctets = 0
    const join = () => {
      if (small.length > 0) outputs.push(joined(small))
      small = []
      smallOctets = 0
    }
    for (const piece of pieces) {
      if (!isOutput(piece)) {
        lefts.push(piece)
        continue
      }
      const isLarge = piece.length >= WRITE_OCTETS
      if (isLarge || smallOctets + piece.length > SLICE_OCTETS) join()
      if (isLarge) outputs.push(piece)
      else {
        small.push(piece)
        smallOctets += piece.length
      }
    }
    join()
    const [first, second] = outputs
    const left = () => {
      for (const one of lefts) one.left()
    }
    if (first === undefined) left()
    else this.#hand(second === undefined ? first : outputs, lefts.length > 0 ? left : undefined)
  }

  /**
   * Pulls one stream. What was sent just before it leaves with its first octets, and its last
   * octets go back to the head of the queue, to leave with what was sent behind it.
   */
  async #pull({ source, transform }: Pulled, before: readonly (Output | Left)[]): Promise<void> {
    this.#pulling = true
    let held = [...before]
    let heldOctets = before.reduce((sum, piece) => sum + sizeOf(piece), 0)
    try {
      for await (const octets of source) {
        if (this.#gone) return
        const output = transform ? transform.push(octets) : octets
        if (output.length === 0) continue
        held.push(output)
        heldOctets += output.length
        if (heldOctets < WRITE_OCTETS) continue
        this.#write(held)
        held = []
        heldOctets = 0
        // `waiting` is read again on purpose: the write above may have set it.
        if (this.waiting) await new Promise<void>(resolve => (this.#wake = resolve))
        if (this.#gone) return
      }
      const rest = transform?.end()
      if (rest && rest.length > 0) held.push(rest)
    } catch (error) {
      if (!this.#gone) this.#owner.broken('source-failed', error)
      return
    }
    if (this.#gone) return
    this.#pulling = false
    this.#last(held)
    this.#owner.settle()
  }
}

function isOutput(piece: Piece): piece is Output {
  return typeof piece === 'string' || piece instanceof Uint8Array
}

function isStream(piece: Piece): piece is Fed | Pulled {
  return !isOutput(piece) && !('left' in piece)
}

function sizeOf(piece: Output | Left): number {
  return isOutput(piece) ? piece.length : 0
}

function slicesOf(octets: Uint8Array): Uint8Array[] {
  const slices: Uint8Array[] = []
  for (let from = 0; from < octets.length; from += SLICE_OCTETS) {
    slices.push(octets.subarray(from, from + SLICE_OCTETS))
  }
  return slices
}
