/**
 * Tables as rows, slice by slice in the order of their keys: what a move to another store reads and writes.
 * Called by move.ts. Every table of the schema is named here once, as moved or as left; a test
 * compares the two lists with the schema.
 */
import type { Value } from '../world/sql.ts'
import { COMMITS } from './commit-count.ts'
import { either } from './dialect.ts'
import { SINCE } from './migrate.ts'
import { farReader, reader, writer } from './store.ts'

export interface MovedTable {
  readonly name: string
  readonly key: readonly string[]
  /** Rows of a slice: few where they carry octets. */
  readonly rows: number
  /** Whether the database numbers its rows, and must go on behind the highest. */
  readonly numbered?: boolean
}

export const movedTables: readonly MovedTable[] = [
  { name: 'setting', key: ['name'], rows: 500 },
  { name: 'domain', key: ['name'], rows: 500 },
  { name: 'account', key: ['id'], rows: 500, numbered: true },
  { name: 'alias', key: ['address', 'target'], rows: 500 },
  { name: 'credential', key: ['account_id', 'kind'], rows: 500 },
  { name: 'app_password', key: ['id'], rows: 500 },
  { name: 'app_verifier', key: ['app_id', 'kind'], rows: 500 },
  { name: 'identity', key: ['account_id', 'pattern'], rows: 500 },
  { name: 'body', key: ['id'], rows: 32, numbered: true },
  { name: 'transfer', key: ['scope', 'id'], rows: 100 },
  { name: 'transfer_piece', key: ['scope', 'id', 'n'], rows: 500 },
  { name: 'transfer_done', key: ['scope', 'id'], rows: 100 },
  { name: 'message', key: ['id'], rows: 250 },
  { name: 'recipient', key: ['message_id', 'n'], rows: 500 },
  { name: 'lane', key: ['name'], rows: 500 },
  { name: 'outgoing', key: ['account_id', 'span_ms'], rows: 500 },
  { name: 'ban', key: ['network'], rows: 500 },
  { name: 'attempt', key: ['message_id', 'n', 'at'], rows: 100 },
  { name: 'mailbox', key: ['id'], rows: 500, numbered: true },
  { name: 'mailbox_message', key: ['mailbox_id', 'uid'], rows: 250 },
  { name: 'mailbox_vanished', key: ['mailbox_id', 'mod_seq', 'uid'], rows: 500 },
  { name: 'subscription', key: ['account_id', 'name'], rows: 500 },
  { name: 'acl', key: ['mailbox_id', 'identifier'], rows: 500 },
  { name: 'url_key', key: ['mailbox_id'], rows: 500 },
  { name: 'annotation', key: ['mailbox_id', 'account_id', 'entry'], rows: 20 },
]

/** Of one database alone: who is at work on it and has counted what, where the octets of its staged bodies lie, what was found in bodies. */
export const leftTables: readonly string[] = [
  'node',
  'maildrop_lock',
  'tally',
  'body_chunk',
  'body_chunked',
  'body_garbage',
  'reading',
]

/** The setting that a store holds while a move into it has not come to its end. */
const UNFINISHED = 'move.unfinished'

/** Settings of one database alone. */
const OWN = `('${UNFINISHED}', '${COMMITS}', '${SINCE}')`

export type MovedRow = Readonly<Record<string, Value>>

/** The next rows of a table behind a key; the first ones without it. */
export const movedSlice = farReader(
  'store.movedSlice',
  (tx, { table, after }: { readonly table: number; readonly after?: readonly Value[] }) => {
    const { name, key, rows } = movedTables[table] as MovedTable
    const keys = key.join(', ')
    const places = key.map((_, i) => `?${i + 1}`).join(', ')
    const own = name === 'setting' ? `name NOT IN ${OWN}` : '1 = 1'
    const behind = after === undefined ? '' : `AND (${keys}) > (${places})`
    return tx.all<Record<string, Value>>(
      `SELECT * FROM ${name} WHERE ${own} ${behind} ORDER BY ${keys} LIMIT ${rows}`,
      ...(after ?? []),
    )
  },
)

/** Adds rows as they are. */
export const addMoved = writer(
  'store.addMoved',
  async (tx, { table, rows }: { readonly table: number; readonly rows: readonly MovedRow[] }) => {
    const [first] = rows
    if (first === undefined) return
    const { name } = movedTables[table] as MovedTable
    const columns = Object.keys(first).sort()
    const places = columns.map((_, i) => `?${i + 1}`).join(', ')
    await tx.many(
      `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places})`,
      rows.map(row => columns.map(column => row[column] ?? null)),
    )
  },
)

/** Whether anything of ours is in the store. */
export const holdsAnything = reader('store.holdsAnything', async (tx, _: null) => {
  const looks = movedTables.map(({ name }) =>
    name === 'setting'
      ? `SELECT 1 AS found FROM setting WHERE name NOT IN ${OWN}`
      : `SELECT 1 AS found FROM ${name}`,
  )
  for (const look of looks) if (await tx.get(`${look} LIMIT 1`)) return true
  return false
})

/** Why the store is not to be used: a move into it was cut off; undefined where it may be. */
export const unfinishedMove = reader('store.unfinishedMove', async (tx, _: null) => {
  const row = await tx.get<{ value: string }>(
    `SELECT value FROM setting WHERE name = '${UNFINISHED}'`,
  )
  return row?.value
})

/** Marks the store as half of a move, and empties it of what an earlier one left. */
export const beginMove = writer('store.beginMove', async (tx, from: string) => {
  for (const { name } of movedTables) {
    const keep = name === 'setting' ? ` WHERE name NOT IN ${OWN}` : ''
    await tx.run(`DELETE FROM ${name}${keep}`)
  }
  await tx.run(
    `INSERT INTO setting (name, value) VALUES ('${UNFINISHED}', ?1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    from,
  )
})

/** New rows are numbered behind those that came; then the mark goes. */
export const endMove = writer('store.endMove', async tx => {
  for (const { name, numbered } of movedTables) {
    if (!numbered) continue
    const highest = `(SELECT coalesce(max(id), 0) + 1 FROM ${name})`
    // SQLite takes the highest number there is by itself.
    await tx.all(
      either({
        sqlite: 'SELECT 1 AS numbered',
        postgresql: `SELECT setval(pg_get_serial_sequence('${name}', 'id'), ${highest}, false)`,
      }),
    )
  }
  await tx.run(`DELETE FROM setting WHERE name = '${UNFINISHED}'`)
})
