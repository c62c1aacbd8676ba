/**
 * Bodies that no row names any more, where several nodes read the same ones. Such a body is marked when
 * its last reference goes (or when a sweep first meets it without one) and removed once the mark is older
 * than the grace time: by the database's clock alone, whatever the clocks of the nodes say.
 *
 * Why no body is taken that a row is about to name: an upload must be sealed within three quarters of the
 * grace time (shared-disk.ts), and a mark is never older than the upload. Called by sweep.ts.
 */
import { either } from './dialect.ts'
import { writer } from './store.ts'

/** A mark of which nobody knows what became of its body. */
const FORGET_MS = 30 * 24 * 3_600_000

/** The names of a JSON array, as rows of `n`. */
const NAMES = {
  sqlite: '(SELECT value AS name FROM json_each(?1)) n',
  postgresql: '(SELECT jsonb_array_elements_text(?1::jsonb) AS name) n',
}

function overNames(text: (names: string) => string): string {
  return either({ sqlite: text(NAMES.sqlite), postgresql: text(NAMES.postgresql) })
}

/** A row names a body by its stem, or by its stem, a dot and more: '/' is what follows the dot. */
const NAMED = overNames(
  names => `SELECT n.name FROM ${names} WHERE EXISTS
    (SELECT 1 FROM body b WHERE b.staged >= n.name AND b.staged < n.name || '/')`,
)
const RIPE = overNames(
  names => `SELECT g.name FROM ${names} JOIN body_garbage g ON g.name = n.name
    WHERE g.since <= :now - ?2`,
)

/** The last reference to a body is gone as of now. */
export const markGarbage = writer('store.markGarbage', async (tx, name: string): Promise<void> => {
  await tx.run(
    `INSERT INTO body_garbage (name, since) VALUES (?1, :now)
     ON CONFLICT (name) DO UPDATE SET since = excluded.since`,
    name,
  )
})

/** Of the bodies listed, those that may go now. What has no row is marked, what has one is not any more. */
export const ripeGarbage = writer(
  'store.ripeGarbage',
  async (
    tx,
    { names, graceMs }: { readonly names: readonly string[]; readonly graceMs: number },
  ): Promise<readonly string[]> => {
    const found = await tx.all<{ name: string }>(NAMED, JSON.stringify(names))
    const named = new Set(found.map(row => row.name))
    const unnamed = names.filter(name => !named.has(name))
    await tx.many(
      'DELETE FROM body_garbage WHERE name = ?1',
      [...named].map(name => [name]),
    )
    await tx.many(
      'INSERT INTO body_garbage (name, since) VALUES (?1, :now) ON CONFLICT (name) DO NOTHING',
      unnamed.map(name => [name]),
    )
    const ripe = await tx.all<{ name: string }>(RIPE, JSON.stringify(unnamed), graceMs)
    return ripe.map(({ name }) => name)
  },
)

/** They are removed; marks that are older than anything else go with them. */
export const forgetGarbage = writer(
  'store.forgetGarbage',
  async (tx, names: readonly string[]): Promise<void> => {
    await tx.many(
      'DELETE FROM body_garbage WHERE name = ?1',
      names.map(name => [name]),
    )
    await tx.run(`DELETE FROM body_garbage WHERE since < :now - ${FORGET_MS}`)
  },
)
