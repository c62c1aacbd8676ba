/**
 * What nodes have counted, as rows: one of each node for whom it has counted much. All times are the database's.
 * Called by shared-counts.ts.
 */
import { reader, writer } from '../store/store.ts'

export interface Told {
  readonly kind: string
  readonly key: string
  readonly sum: number
  /** How long it counts. */
  readonly forMs: number
}

export const tellCounts = writer(
  'limit.tellCounts',
  async (tx, { node, rows }: { readonly node: string; readonly rows: readonly Told[] }) => {
    await tx.many(
      `INSERT INTO tally (kind, key, node, sum, until_at, changed_at)
       VALUES (?1, ?2, ?3, ?4, :now + ?5, :now)
       ON CONFLICT (kind, key, node) DO UPDATE SET sum = excluded.sum,
         until_at = excluded.until_at, changed_at = excluded.changed_at`,
      rows.map(({ kind, key, sum, forMs }) => [kind, key, node, sum, forMs]),
    )
    return null
  },
)

export interface Heard {
  readonly kind: string
  readonly key: string
  readonly node: string
  readonly sum: number
  /** How long it counts still; 0 or less is not any more. */
  readonly leftMs: number
}

/** More than a look brings, but in a flood: then the newest. */
const ROWS_MAX = 10_000

/** What the others have told since a time of the database, and what that is now. */
export const countsTold = reader(
  'limit.countsTold',
  async (
    tx,
    { node, since }: { readonly node: string; readonly since: number },
  ): Promise<{ readonly now: number; readonly rows: readonly Heard[] }> => {
    const clock = await tx.get<{ now: number }>('SELECT :now AS now')
    const rows = await tx.all<Omit<Heard, 'leftMs'> & { readonly left_ms: number }>(
      `SELECT kind, key, node, sum, until_at - :now AS left_ms FROM tally
       WHERE changed_at >= ?1 AND node <> ?2 ORDER BY changed_at DESC LIMIT ${ROWS_MAX}`,
      since,
      node,
    )
    return {
      now: clock?.now ?? 0,
      rows: rows.map(({ left_ms, ...row }) => ({ ...row, leftMs: left_ms })),
    }
  },
)

/** Takes away what has counted no more for a minute, a slice at once. By then every node has read that it is nothing. */
export const sweepCounts = writer('limit.sweepCounts', (tx, _: null) =>
  tx.run(
    `DELETE FROM tally WHERE (kind, key, node) IN
       (SELECT kind, key, node FROM tally WHERE until_at < :now - 60000 LIMIT 1000)`,
  ),
)
