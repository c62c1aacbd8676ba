/**
 * Takes away what is no longer needed: messages settled long ago, staged files that no row names,
 * bodies that nothing refers to, free pages. Started by server/, at start and then regularly. Each step
 * is a short job among the others of the committer, so accepts never wait for a sweep.
 */
import type { Clock, Timer } from '../world/clock.ts'
import type { Disk, SharedDisk } from '../world/disk.ts'
import type { Log } from '../world/log.ts'
import { stemOf } from '../world/sealed-name.ts'
import { either } from './dialect.ts'
import { forgetGarbage, ripeGarbage } from './garbage.ts'
import { farReader, type Reader, reader, type Store, type Writer, writer } from './store.ts'

export interface SweepOptions {
  readonly store: Store
  readonly disk: Disk
  readonly clock: Clock
  /** How long the ledger keeps a settled message. 30 days if not given. */
  readonly keepSettledMs?: number
  /** How long a staged file may be without a row that names it. An hour if not given. */
  readonly stagedGraceMs?: number
}

/** What a sweep took away. */
export interface Swept {
  readonly messages: number
  readonly bodies: number
  readonly files: number
}

const day = 24 * 3_600_000
/** What this life has staged is let be for so long, by a clock that does not jump: its row may be on its way. */
const ours = 3_600_000
/** Rows a job takes away: well under 10 ms of the committer's time. */
const slice = 100

/**
 * Looks at up to 100 messages behind `after`, and forgets those that were settled before `before`; gives
 * how many, and where to go on. Ids sort by time (queue/id.ts), so that the walk from the first one ends
 * at the first message that came later than `before`, and no index has to say when each was settled.
 */
export const forgetSettled = writer(
  'store.forgetSettled',
  async (
    tx,
    { before, after }: { readonly before: number; readonly after: string },
  ): Promise<{ forgotten: number; reached: string | undefined }> => {
    const seen = await tx.all<{ id: string; received_at: number; settled_at: number | null }>(
      `SELECT id, received_at, settled_at FROM message WHERE id > ?1 ORDER BY id LIMIT ${slice}`,
      after,
    )
    const old = seen.filter(row => row.settled_at !== null && row.settled_at < before)
    const keys = old.map(({ id }) => [id])
    await tx.many('DELETE FROM attempt WHERE message_id = ?1', keys)
    await tx.many('DELETE FROM recipient WHERE message_id = ?1', keys)
    await tx.many('DELETE FROM message WHERE id = ?1', keys)
    const last = seen.at(-1)
    const ended = seen.length < slice || last === undefined || last.received_at >= before
    return { forgotten: old.length, reached: ended ? undefined : last.id }
  },
)

/**
 * Bodies that nothing refers to, among up to 2,000 behind `after`. A reference is only ever made from
 * another one, or together with its body: so what this finds stays without one.
 */
export const unreferencedBodies = farReader(
  'store.unreferencedBodies',
  async (tx, after: number) => {
    const end = await tx.get<{ reached: number | null }>(
      `SELECT max(id) AS reached
     FROM (SELECT id FROM body WHERE id > ?1 ORDER BY id LIMIT 2000) AS slice`,
      after,
    )
    const reached = end?.reached ?? undefined
    if (reached === undefined) return { reached, ids: [] }
    const rows = await tx.all<{ id: number }>(
      `SELECT b.id FROM body b WHERE b.id > ?1 AND b.id <= ?2
       AND NOT EXISTS (SELECT 1 FROM mailbox_message k WHERE k.body_id = b.id)
       AND NOT EXISTS (SELECT 1 FROM message m WHERE m.body_id = b.id)
       AND NOT EXISTS (SELECT 1 FROM transfer_piece p WHERE p.body_id = b.id)`,
      after,
      reached,
    )
    return { reached, ids: rows.map(({ id }) => id) }
  },
)

/** Removes the bodies; their staged files go as files that no row names. */
export const removeBodies = writer('store.removeBodies', (tx, ids: readonly number[]) =>
  tx.many(
    'DELETE FROM body WHERE id = ?1',
    ids.map(id => [id]),
  ),
)

/** PostgreSQL's autovacuum keeps its own house: no page there is ours to give back. */
const FREE_PAGES = either({
  sqlite: 'PRAGMA freelist_count',
  postgresql: 'SELECT 0 AS freelist_count',
})
const PAGES = either({ sqlite: 'PRAGMA page_count', postgresql: 'SELECT 1 AS page_count' })

/** Gives up to 128 free pages back to the file system, where over a quarter is free; true if more wait. */
export const giveBackPages = writer('store.giveBackPages', async (tx): Promise<boolean> => {
  const free = await tx.get<{ freelist_count: number }>(FREE_PAGES)
  const all = await tx.get<{ page_count: number }>(PAGES)
  if ((free?.freelist_count ?? 0) * 4 <= (all?.page_count ?? 0)) return false
  await tx.all('PRAGMA incremental_vacuum(128)')
  return true
})

/** Whether a row names the staged file, given by its name or by the stem of it (sealed-name.ts). */
export const stagedIsNamed = reader('store.stagedIsNamed', async (tx, name: string) => {
  const row = await tx.get(
    `SELECT 1 AS named FROM body WHERE staged >= ?1 AND staged < ?1 || '/' LIMIT 1`,
    stemOf(name),
  )
  return row !== undefined
})

/** Sweeps now and then every six hours, until it is stopped; what goes wrong is logged and tried again. */
export function sweepRegularly(options: SweepOptions & { readonly log: Log }): Sweeping {
  const { clock, log } = options
  let timer: Timer | undefined
  let stopped = false
  const once = async (): Promise<void> => {
    try {
      log.debug('store.swept', { ...(await sweep(options)) })
    } catch (error) {
      if (!stopped) log.warn('store.sweep_failed', { message: String(error) })
    }
    if (!stopped) timer = clock.after(day / 4, () => void once())
  }
  void once()
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

export interface Sweeping {
  /** No further sweep begins. */
  stop(): void
}

/** Sweeps once, all of it. */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { store, clock } = options
  const before = clock.now() - (options.keepSettledMs ?? 30 * day)
  let messages = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const swept: { forgotten: number; reached: string | undefined } = await store.write(
      forgetSettled,
      { before, after },
    )
    messages += swept.forgotten
    after = swept.reached
  }
  const bodies = await sweepBodies(store)
  const files = await sweepStaged(options)
  while (await store.write(giveBackPages, undefined)) {
    // Slice by slice, each its own job.
  }
  return { messages, bodies, files }
}

function sweepBodies(store: Store): Promise<number> {
  return sweepFound(store, unreferencedBodies, removeBodies)
}

/** What one look finds among the rows behind a key, and how far it looked. */
export interface Needless {
  readonly reached: number | undefined
  readonly ids: readonly number[]
}

/** Looks through a table by its key and removes what is found, slice by slice; gives how much it was. */
export async function sweepFound(
  store: Pick<Store, 'read' | 'write'>,
  find: Reader<number, Needless>,
  remove: Writer<readonly number[], unknown>,
): Promise<number> {
  let removed = 0
  let after: number | undefined = Number.MIN_SAFE_INTEGER
  while (after !== undefined) {
    const found: Needless = await store.read(find, after)
    for (let from = 0; from < found.ids.length; from += slice) {
      await store.write(remove, found.ids.slice(from, from + slice))
    }
    removed += found.ids.length
    after = found.reached
  }
  return removed
}

/**
 * Removes staged files that no row has named within the grace time. Also right at a start. Where nodes
 * share them, the grace time is the disk's own, and counts from a mark.
 */
export async function sweepStaged(options: SweepOptions): Promise<number> {
  const { store, disk, clock } = options
  if (disk.shared !== undefined) return sweepShared(store, disk, disk.shared)
  const before = clock.now() - (options.stagedGraceMs ?? 3_600_000)
  let removed = 0
  for await (const { name, changedAt, restsMs = ours } of disk.list()) {
    // The wall clock may have jumped since it was staged.
    if (restsMs < ours || changedAt > before) continue
    if (await store.read(stagedIsNamed, name)) continue
    await disk.remove(name)
    removed++
  }
  return removed
}

/** Bodies whose rows are looked for with one question. */
const page = 200

async function sweepShared(
  store: Store,
  disk: Disk,
  { graceMs, purge }: SharedDisk,
): Promise<number> {
  let removed = 0
  const sweepPage = async (names: readonly string[]): Promise<void> => {
    const ripe = await store.write(ripeGarbage, { names, graceMs })
    for (const name of ripe) await purge(name)
    if (ripe.length > 0) await store.write(forgetGarbage, ripe)
    removed += ripe.length
  }
  let names: string[] = []
  for await (const { name } of disk.list()) {
    if (names.push(name) < page) continue
    await sweepPage(names)
    names = []
  }
  if (names.length > 0) await sweepPage(names)
  return removed
}
