/** A writer that damages a body in the database, in a module of its own: the stores load it in their threads. */
import { writer } from '../../src/store/store.ts'

export const spoilChunk = writer(
  'test.spoilChunk',
  async (tx, { name, n, octet }: { name: string; n: number; octet: number }): Promise<void> => {
    const row = await tx.get<{ octets: Uint8Array }>(
      'SELECT octets FROM body_chunk WHERE name = ?1 AND n = ?2',
      name,
      n,
    )
    const octets = Buffer.from(row?.octets ?? [])
    octets[octet] = (octets[octet] as number) ^ 1
    await tx.run('UPDATE body_chunk SET octets = ?3 WHERE name = ?1 AND n = ?2', name, n, octets)
  },
)

/** Makes a row that names a body, or takes it away. */
export const nameBody = writer(
  'test.nameBody',
  async (tx, { id, staged }: { id: number; staged: string | null }): Promise<void> => {
    if (staged === null) await tx.run('DELETE FROM body WHERE id = ?1', id)
    else await tx.run('INSERT INTO body (id, size_octets, staged) VALUES (?1, 9, ?2)', id, staged)
  },
)
