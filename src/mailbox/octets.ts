/**
 * A stored message as octets that can be read from any place: its own head and the shared body as one. It
 * keeps a small body in memory and of a large one nothing. Used by access/ for FETCH and SEARCH.
 */
import type { Store } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import type { Disk } from '../world/disk.ts'
import { bodySlice, type StoredMessage } from './reader.ts'

const SLICE_OCTETS = 256 * 1024

/** Where the octets of bodies are that do not come along with their message. */
export interface Beyond {
  readonly store: Pick<Store, 'read'>
  readonly disk: Disk
}

export class MessageOctets {
  readonly headOctets: number
  readonly sizeOctets: number
  readonly bodyId: number
  readonly #message: StoredMessage
  readonly #beyond: Beyond | undefined

  /** @param beyond needed where the body has not come along. */
  constructor(message: StoredMessage, beyond?: Beyond) {
    this.#message = message
    this.#beyond = beyond
    this.headOctets = message.head.length
    this.sizeOctets = message.sizeOctets
    this.bodyId = message.body.bodyId
  }

  /** Octets [from, to) of head and body together: an array where all is in memory, else a stream. */
  range(from: number, to: number): Source {
    const { head, whole } = this.#message
    if (whole !== undefined) return whole.subarray(from, to)
    const inHead = head.subarray(Math.min(from, head.length), Math.min(to, head.length))
    const bodyFrom = Math.max(0, from - head.length)
    const bodyTo = Math.max(bodyFrom, to - head.length)
    if (bodyFrom === bodyTo) return inHead
    return this.#stream(inHead, bodyFrom, bodyTo)
  }

  /** The body alone. */
  body(): Source {
    return this.range(this.headOctets, this.sizeOctets)
  }

  async *#stream(
    first: Uint8Array,
    from: number,
    to: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (first.length > 0) yield first
    const { staged, bodyId } = this.#message.body
    const beyond = this.#beyond
    if (beyond === undefined) throw new Error(`body ${bodyId} is not here`)
    let seen = 0
    for await (const slice of staged === null
      ? this.#slices(beyond, from, to)
      : beyond.disk.read(staged, from, to)) {
      seen += slice.length
      if (seen > to - from) break
      yield slice
    }
    if (seen !== to - from) throw new Error(`body ${bodyId} is not the octets it should be`)
  }

  async *#slices(
    { store }: Beyond,
    from: number,
    to: number,
  ): AsyncGenerator<Uint8Array, void, void> {
    const { bodyId } = this.#message.body
    for (let at = from; at < to; at += SLICE_OCTETS) {
      const end = Math.min(at + SLICE_OCTETS, to)
      const slice = await store.read(bodySlice, { bodyId, from: at, to: end })
      if (slice === undefined) throw new Error(`body ${bodyId} is gone`)
      yield slice
    }
  }
}

/** All octets of a source; the caller knows that they are few. */
export async function collected(source: Source): Promise<Buffer> {
  if (source instanceof Uint8Array) {
    return Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  }
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}
