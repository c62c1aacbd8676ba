/**
 * Moves everything from one store to another, table by table in the order of keys, staged bodies with
 * them, and then reads the target again: counts and hashes must be those of the source, and check.ts must
 * find nothing. Called by `postrider migrate-store` on stores that no server uses.
 *
 * The target is marked before the first row and the mark goes behind the last check: whoever opens a
 * target whose move was cut off is told so. The source is only read.
 */
import { createHash, type Hash } from 'node:crypto'
import type { Disk } from '../world/disk.ts'
import type { Value } from '../world/sql.ts'
import { type Finding, findings } from './check.ts'
import {
  addMoved,
  beginMove,
  endMove,
  holdsAnything,
  type MovedRow,
  type MovedTable,
  movedSlice,
  movedTables,
  unfinishedMove,
} from './move-table.ts'
import type { Store } from './store.ts'

/** A store with the disk that holds its staged bodies. */
export interface MoveEnd {
  readonly store: Store
  readonly disk: Disk
  /** What people call it: never with a password. */
  readonly named: string
}

export interface TableCount {
  readonly table: string
  readonly rows: number
  /** SHA-256 of all rows in the order of their keys, bodies by their content. */
  readonly hash: string
}

export type Moved =
  | { readonly kind: 'moved'; readonly tables: readonly TableCount[]; readonly bodies: number }
  /** The target holds something: it was left as it is. */
  | { readonly kind: 'occupied' }
  /** The target is not what the source is; it keeps its mark. */
  | { readonly kind: 'unlike'; readonly table: string; readonly detail: string }
  | { readonly kind: 'unsound'; readonly findings: readonly Finding[] }

/** Moves all, or says why not. Rejects where a store or a disk does. */
export async function move(source: MoveEnd, target: MoveEnd): Promise<Moved> {
  const unfinished = await target.store.read(unfinishedMove, null)
  const occupied = await target.store.read(holdsAnything, null)
  if (occupied && unfinished === undefined) return { kind: 'occupied' }
  await target.store.write(beginMove, `from ${source.named}`)
  const tables: TableCount[] = []
  let bodies = 0
  for (const [index, table] of movedTables.entries()) {
    const tally = new Tally(table)
    for await (const rows of slices(source.store, index, table)) {
      const moved = await Promise.all(rows.map(row => carried(source, target, row)))
      bodies += moved.filter(({ row }) => typeof row['staged'] === 'string').length
      for (const [i, { content }] of moved.entries()) tally.add(rows[i] as MovedRow, content)
      await target.store.write(addMoved, { table: index, rows: moved.map(({ row }) => row) })
    }
    tables.push(tally.count())
  }
  for (const [index, table] of movedTables.entries()) {
    const tally = new Tally(table)
    for await (const rows of slices(target.store, index, table)) {
      for (const row of rows) tally.add(row, await contentHash(target.disk, row))
    }
    const { rows, hash } = tally.count()
    const wanted = tables[index] as TableCount
    if (rows === wanted.rows && hash === wanted.hash) continue
    const detail = `${rows} rows of ${wanted.rows}, hash ${hash}, not ${wanted.hash}`
    return { kind: 'unlike', table: table.name, detail }
  }
  const found = await findings(target.store)
  if (found.length > 0) return { kind: 'unsound', findings: found }
  await target.store.write(endMove, undefined)
  return { kind: 'moved', tables, bodies }
}

async function* slices(
  store: Store,
  index: number,
  { key, rows: most }: MovedTable,
): AsyncIterable<readonly MovedRow[]> {
  let after: readonly Value[] | undefined
  for (;;) {
    const rows: readonly MovedRow[] = await store.read(movedSlice, {
      table: index,
      ...(after === undefined ? {} : { after }),
    })
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < most) return
    after = key.map(column => last[column] ?? null)
  }
}

/** The row as the target is to hold it: a staged body gets a new name there. */
async function carried(source: MoveEnd, target: MoveEnd, row: MovedRow) {
  const { staged, size_octets: size } = row
  if (typeof staged !== 'string') return { row, content: undefined }
  const body = await target.disk.stage()
  try {
    const hash = createHash('sha256')
    for await (const octets of source.disk.read(staged, 0, Number(size))) {
      hash.update(octets)
      await body.write(octets)
    }
    await body.seal()
    return { row: { ...row, staged: body.name }, content: hash.digest('hex') }
  } catch (error) {
    await body.abort()
    throw error
  }
}

async function contentHash(disk: Disk, row: MovedRow): Promise<string | undefined> {
  const { staged, size_octets: size } = row
  if (typeof staged !== 'string') return undefined
  const hash = createHash('sha256')
  for await (const octets of disk.read(staged, 0, Number(size))) hash.update(octets)
  return hash.digest('hex')
}

/** Counts and hashes the rows of a table. */
class Tally {
  readonly #table: MovedTable
  readonly #hash: Hash = createHash('sha256')
  #rows = 0

  constructor(table: MovedTable) {
    this.#table = table
  }

  /** @param content the hash of a staged body, in place of its name */
  add(row: MovedRow, content: string | undefined): void {
    this.#rows++
    for (const column of Object.keys(row).sort()) {
      const value = column === 'staged' && content !== undefined ? content : row[column]
      this.#hash.update(`${column} `)
      if (value instanceof Uint8Array) this.#hash.update(`${value.length} `).update(value)
      // The text of PostgreSQL holds no NUL (world/node/postgres.ts).
      else this.#hash.update(JSON.stringify(value ?? null).replaceAll('\\u0000', '\ufffd'))
      this.#hash.update('\n')
    }
  }

  count(): TableCount {
    return { table: this.#table.name, rows: this.#rows, hash: this.#hash.digest('hex') }
  }
}
