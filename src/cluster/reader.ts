/** Who is at work on this database. Called by node.ts, by `postrider nodes` and by `migrate-store`. */
import { reader } from '../store/store.ts'

/** A node as the others see it. */
export interface NodeRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly epoch: string
  readonly startedAt: number
  /** How long ago it was seen, by the database's clock. */
  readonly silentMs: number
  readonly draining: boolean
}

interface Row {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly epoch: string
  readonly started_at: number
  readonly silent_ms: number
  readonly draining: number
}

/** Not seen for so long, a node is as good as dead: it renews its row every few seconds. */
export const SILENT_MS = 30_000

/** All of them, the oldest first. Near: there are few. */
export const listNodes = reader<null, readonly NodeRow[]>('cluster.listNodes', async tx => {
  const rows = await tx.all<Row>(
    `SELECT id, host, pid, version, epoch, started_at, :now - seen_at AS silent_ms, draining
     FROM node ORDER BY started_at, id`,
  )
  return rows.map(({ started_at, silent_ms, draining, ...row }) => ({
    ...row,
    startedAt: started_at,
    silentMs: Math.max(0, silent_ms),
    draining: draining === 1,
  }))
})
