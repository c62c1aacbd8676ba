/** Readers and writers of staged bodies that are kept in the database, chunk by chunk: chunk-disk.ts. */
import { manyWriter, reader, writer } from './store.ts'

export const CHUNK_OCTETS = 262_144
/** Chunks that one job takes away. */
const SLICE = 32

export interface Chunk {
  readonly name: string
  /** From 0. */
  readonly n: number
  readonly octets: Uint8Array
}

/** Keeps chunks of bodies that nothing names yet. */
export const putChunk = manyWriter(
  'store.putChunk',
  async (tx, chunks: readonly Chunk[]): Promise<readonly null[]> => {
    const first = chunks.filter(({ n }) => n === 0)
    await tx.many(
      'INSERT INTO body_chunked (name, sealed, size_octets, changed_at) VALUES (?1, 0, 0, :now)',
      first.map(({ name }) => [name]),
    )
    await tx.many(
      'INSERT INTO body_chunk (name, n, octets) VALUES (?1, ?2, ?3)',
      chunks.map(({ name, n, octets }) => [name, n, octets]),
    )
    return chunks.map(() => null)
  },
)

/** Makes a body readable; false where chunks of it are missing. */
export const sealChunks = writer(
  'store.sealChunks',
  async (tx, { name, sizeOctets }: { readonly name: string; readonly sizeOctets: number }) => {
    const held = await tx.get<{ chunks: number }>(
      'SELECT count(*) AS chunks FROM body_chunk WHERE name = ?1',
      name,
    )
    if (held?.chunks !== Math.ceil(sizeOctets / CHUNK_OCTETS)) return false
    await tx.run(
      `INSERT INTO body_chunked (name, sealed, size_octets, changed_at) VALUES (?1, 1, ?2, :now)
       ON CONFLICT (name) DO UPDATE SET sealed = 1, size_octets = excluded.size_octets,
         changed_at = excluded.changed_at`,
      name,
      sizeOctets,
    )
    return true
  },
)

/** Takes up to 32 chunks of a body away, the last ones with its row; true if more wait. */
export const dropChunks = writer('store.dropChunks', async (tx, name: string): Promise<boolean> => {
  // What is being taken away is not to be read in part.
  await tx.run('UPDATE body_chunked SET sealed = 0 WHERE name = ?1', name)
  const dropped = await tx.run(
    `DELETE FROM body_chunk WHERE name = ?1 AND n IN
       (SELECT n FROM body_chunk WHERE name = ?1 ORDER BY n DESC LIMIT ${SLICE})`,
    name,
  )
  if (dropped === SLICE) return true
  await tx.run('DELETE FROM body_chunked WHERE name = ?1', name)
  return false
})

/** One chunk of a sealed body. */
export const chunkOf = reader(
  'store.chunkOf',
  (tx, { name, n }: { readonly name: string; readonly n: number }) =>
    tx.get<{ octets: Uint8Array }>(
      `SELECT c.octets FROM body_chunk c JOIN body_chunked b ON b.name = c.name
       WHERE c.name = ?1 AND c.n = ?2 AND b.sealed = 1`,
      name,
      n,
    ),
)

/**
 * Up to 200 bodies behind a name, those that were never sealed among them. Near, because each start asks: for most
 * there is none, and no thread has to start to say so.
 */
export const chunkedBodies = reader('store.chunkedBodies', (tx, after: string) =>
  tx.all<{ name: string; size_octets: number; changed_at: number }>(
    `SELECT name, size_octets, changed_at FROM body_chunked WHERE name > ?1
     ORDER BY name LIMIT 200`,
    after,
  ),
)
