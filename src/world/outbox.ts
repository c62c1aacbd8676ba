/**
 * What a session has sent and the transport has not yet taken, in order: text, octets and streams.
 * The pump is its only caller. Everything gathered during one input leaves in one write; a stream is
 * pulled only as fast as the connection drains. It knows no session, no question and no deadline.
 */
import type { Source, Transform } from '../wire/effect.ts'
import type { Connection } from './net.ts'

/** Up to this many octets, pieces are joined for the sake of a single write. */
const JOINED_MAX_OCTETS = 65536
/** Streamed octets are gathered to this size before they are written. */
const WRITE_OCTETS = 16384

interface Pending {
  readonly source: Source
  readonly transform: Transform | undefined
}

type Piece = string | Uint8Array | Pending

export interface OutboxOwner {
  /** A stream has ended. */
  settle(): void
  /** Its source has thrown. */
  broken(event: string, error: unknown): void
}

/** Never added to: an array that has had one entry keeps room for sixteen more. */
const NONE: Piece[] = []

export class Outbox {
  /** Where it goes; the pump exchanges it while nothing is here. */
  connection: Connection
  readonly #owner: OutboxOwner
  /** Nearly always all there is: one reply. Nothing is queued meanwhile. */
  #only: string | Uint8Array | undefined
  #queue: Piece[] = NONE
  #pulling = false
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
    return this.#only === undefined && this.#queue.length === 0 && !this.#pulling
  }

  /** All of it was handed over and the transport takes more. */
  get idle(): boolean {
    return this.empty && !this.waiting
  }

  send(output: string | Uint8Array): void {
    if (output.length === 0) return
    this.queuedOctets += output.length
    if (this.#queue.length > 0) this.#join(output)
    else if (this.#only === undefined) this.#only = output
    else if (typeof this.#only === 'string' && typeof output === 'string') this.#only += output
    else this.#append(output)
  }

  /** Texts that stand beside each other become one. */
  #join(output: string | Uint8Array): void {
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

  stream(source: Source, transform?: Transform): void {
    if (source instanceof Uint8Array && source.length <= JOINED_MAX_OCTETS) {
      this.send(transform ? transform.push(source) : source)
      if (transform) this.send(transform.end())
      return
    }
    this.queuedOctets += WRITE_OCTETS
    this.#append({ source, transform })
  }

  /** Hands over what can be handed over now: one write for all that stands before a stream. */
  flush(): void {
    if (this.#only !== undefined) {
      if (this.waiting || this.#pulling || this.#gone) return
      const only = this.#only
      this.#only = undefined
      this.queuedOctets = 0
      this.#hand(only)
      return
    }
    while (this.#queue.length > 0 && !this.waiting && !this.#pulling && !this.#gone) {
      const stream = this.#queue.findIndex(isPending)
      if (stream === -1) {
        const pieces = this.#queue as (string | Uint8Array)[]
        const small = this.queuedOctets <= JOINED_MAX_OCTETS
        this.queuedOctets = 0
        this.#queue = NONE
        if (small) this.#hand(joined(pieces))
        else this.#write(pieces)
      } else {
        const before = this.#queue.splice(0, stream) as (string | Uint8Array)[]
        const pending = this.#queue.shift() as Pending
        for (const piece of before) this.queuedOctets -= piece.length
        void this.#pull(pending, before)
      }
    }
  }

  /** The connection has drained. */
  drained(): void {
    this.waiting = false
    this.progress += this.#owedOctets
    this.#owedOctets = 0
    this.#wake?.()
    this.#wake = undefined
  }

  /** The connection is gone: forgets everything and lets a stream's source close. */
  stop(): void {
    this.#gone = true
    this.#only = undefined
    this.#queue = NONE
    this.queuedOctets = 0
    this.#wake?.()
    this.#wake = undefined
  }

  #hand(output: string | Uint8Array): void {
    this.#owedOctets += output.length
    if (!this.connection.write(output)) this.waiting = true
    if (this.waiting) return
    this.progress += this.#owedOctets
    this.#owedOctets = 0
  }

  /** Small pieces leave together, a large one by itself: a write costs more than a copy. */
  #write(pieces: readonly (string | Uint8Array)[]): void {
    let gathered: (string | Uint8Array)[] = []
    let octets = 0
    const leave = () => {
      if (gathered.length === 0) return
      this.#hand(joined(gathered))
      gathered = []
      octets = 0
    }
    for (const piece of pieces) {
      if (octets + piece.length > JOINED_MAX_OCTETS) leave()
      gathered.push(piece)
      octets += piece.length
    }
    leave()
  }

  /**
   * Pulls one stream. What was sent just before it leaves with its first octets, and its last
   * octets go back to the head of the queue, to leave with what was sent behind it.
   */
  async #pull(pending: Pending, before: readonly (string | Uint8Array)[]): Promise<void> {
    const { source, transform } = pending
    this.#pulling = true
    let held = [...before]
    let heldOctets = before.reduce((sum, piece) => sum + piece.length, 0)
    try {
      for await (const octets of source instanceof Uint8Array ? slices(source) : source) {
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
    this.queuedOctets -= WRITE_OCTETS
    for (const piece of held) this.queuedOctets += piece.length
    const behind = this.#only === undefined ? this.#queue : [this.#only]
    this.#only = undefined
    this.#queue = [...held, ...behind]
    this.#owner.settle()
  }
}

function isPending(piece: Piece): piece is Pending {
  return typeof piece !== 'string' && !(piece instanceof Uint8Array)
}

function joined(pieces: readonly (string | Uint8Array)[]): string | Uint8Array {
  if (pieces.length === 1) return pieces[0] as string | Uint8Array
  if (pieces.every(piece => typeof piece === 'string')) return pieces.join('')
  let octets = 0
  for (const piece of pieces) octets += octetsOf(piece)
  const whole = Buffer.allocUnsafe(octets)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at)
    else {
      whole.set(piece, at)
      at += piece.length
    }
  }
  return whole
}

function octetsOf(piece: string | Uint8Array): number {
  return typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
}

function* slices(octets: Uint8Array): Iterable<Uint8Array> {
  for (let from = 0; from < octets.length; from += JOINED_MAX_OCTETS) {
    yield octets.subarray(from, from + JOINED_MAX_OCTETS)
  }
}
