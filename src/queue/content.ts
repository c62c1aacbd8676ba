/** The octets of a queued message: head, then body, from the row or from Disk. */
import { reader, type Store } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import type { Disk } from '../world/disk.ts'

/** So much of a queued message is read for its header. */
export const HEADER_MAX_OCTETS = 131_072

interface Body {
  readonly octets: Uint8Array | null
  readonly staged: string | null
  readonly size_octets: number
}

/** A whole body of at most INLINE_MAX_BYTES (inbound/intake.ts), or the name of a staged one. */
export const bodyOf = reader<number, Body | undefined>('queue.body', (tx, id) =>
  tx.get<Body>('SELECT octets, staged, size_octets FROM body WHERE id = ?1', id),
)

/** Reads when it is pulled; throws where the body is missing, so that the load is tried again. */
export async function* queuedContent(
  store: Store,
  disk: Disk,
  message: { readonly head: Uint8Array; readonly body_id: number },
): AsyncGenerator<Uint8Array, void, void> {
  yield message.head
  const body = await store.read(bodyOf, message.body_id)
  if (!body) throw new Error(`body ${message.body_id} is missing`)
  if (body.octets !== null) yield body.octets
  else if (body.staged !== null) yield* disk.read(body.staged, 0, body.size_octets)
}

/**
 * The first octets of a source, at most `limit`; of a source that breaks, those before. It is for
 * notices, and that its body cannot be read is just what a notice may have to tell.
 */
export async function prefixOf(source: Source, limit: number): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source.subarray(0, limit)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of source) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= limit) break
    }
  } catch (error) {
    if (size === 0) throw error
  }
  return Buffer.concat(chunks).subarray(0, limit)
}
