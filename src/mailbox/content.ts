/**
 * A stored message as a source of octets: its own head, then the shared body, from the row or from
 * Disk, in slices. Used by access/ for RETR and FETCH. It holds one slice at a time and no
 * transaction, so a reader may take all day.
 */
import type { Store } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import type { Disk } from '../world/disk.ts'
import { type BodyReference, bodySlice, type StoredMessage } from './reader.ts'

const SLICE_OCTETS = 256 * 1024

/**
 * Head and body. A small message is one array. A stream throws where it would yield more or fewer
 * octets than were promised (a torn or missing staged body): a broken world, never a short message.
 */
export function content(store: Store, disk: Disk, message: StoredMessage): Source {
  const { head, body, whole } = message
  return whole ?? inPieces(store, disk, head, body)
}

async function* inPieces(
  store: Store,
  disk: Disk,
  head: Uint8Array,
  body: BodyReference,
): AsyncGenerator<Uint8Array, void, void> {
  yield head
  yield* bodyOctets(store, disk, body)
}

/**
 * The same content, its first octets already here: that they cannot be had shows before any of them was
 * promised to a peer. Head and one slice are held until it is pulled. For bodies that are fetched from
 * afar only: nobody closes a file for content that is never pulled.
 */
export async function begun(source: AsyncIterable<Uint8Array>): Promise<Source> {
  const rest = source[Symbol.asyncIterator]()
  const first = [await rest.next(), await rest.next()]
  return (async function* () {
    for (const { done, value } of first) {
      if (done) return
      yield value
    }
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  })()
}

/** The body alone. */
export async function* bodyOctets(
  store: Store,
  disk: Disk,
  body: BodyReference,
): AsyncGenerator<Uint8Array, void, void> {
  const octets =
    body.staged === null ? slices(store, body) : disk.read(body.staged, 0, body.sizeOctets)
  let seen = 0
  for await (const slice of octets) {
    seen += slice.length
    if (seen > body.sizeOctets) break
    yield slice
  }
  if (seen !== body.sizeOctets) {
    throw new Error(`body ${body.bodyId} is not the ${body.sizeOctets} octets it should be`)
  }
}

async function* slices(store: Store, body: BodyReference): AsyncGenerator<Uint8Array, void, void> {
  for (let from = 0; from < body.sizeOctets; from += SLICE_OCTETS) {
    const to = Math.min(from + SLICE_OCTETS, body.sizeOctets)
    const slice = await store.read(bodySlice, { bodyId: body.bodyId, from, to })
    if (slice === undefined) throw new Error(`body ${body.bodyId} is gone`)
    yield slice
  }
}
