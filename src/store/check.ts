/**
 * Verifies the whole database: SQLite's own structure, then every rule of rules.ts, then the staged
 * bodies against the files that are there. Called by `postrider check`, by backup.ts and by tests. Only
 * reads, in slices, so that it may run beside a server at work.
 */
import { stemOf, storedOctets } from '../world/sealed-name.ts'
import { either } from './dialect.ts'
import { cuts, type Rule, rules, type Slice } from './rules.ts'
import { asideReader, farReader, reader, type Store } from './store.ts'

/** One broken invariant. */
export interface Finding {
  readonly rule: string
  /** The row: its table and key. */
  readonly where: string
  readonly detail: string
}

/** A staged body as the disk lists it (src/world/disk.ts): by its stem, with its size as it is stored. */
export interface StagedFile {
  readonly name: string
  readonly sizeOctets: number
}

/** No rule tells more: a store broken this much is not mended from a list. */
const findingsMax = 1_000

type Key = string | number

interface Sliced {
  readonly found: readonly { readonly place: string; readonly detail: string }[]
  /** The last key that was looked at, or undefined behind the end. */
  readonly reached: Key | undefined
}

const INTEGRITY = either({
  sqlite: 'PRAGMA integrity_check(100)',
  postgresql: `SELECT 'ok' AS integrity_check`,
})

/**
 * SQLite's own look at pages, indexes and NOT NULL; one row 'ok' where all is well. PostgreSQL's structure
 * is its operator's to look at, with pg_amcheck.
 */
export const checkStructure = asideReader('store.checkStructure', async tx => {
  const rows = await tx.all<{ integrity_check: string }>(INTEGRITY)
  return rows.map(row => row.integrity_check).filter(line => line !== 'ok')
})

/** Pages of a database that a start looks through: 64 MB, some tenths of a second. */
const lookMaxPages = 8_192

/**
 * The first damage SQLite sees, or undefined: for a start, which should not write into a damaged file.
 * Only where it is quick: a larger database is the business of `postrider check`. Near, because at a
 * start nobody waits, and the reader's thread is not needed for it.
 */
export const firstDamage = reader('store.firstDamage', async (tx, _: null) => {
  const size = await tx.get<{ page_count: number }>(
    either({ sqlite: 'PRAGMA page_count', postgresql: 'SELECT 0 AS page_count' }),
  )
  if ((size?.page_count ?? 0) > lookMaxPages) return undefined
  const row = await tx.get<{ quick_check: string }>(
    either({ sqlite: 'PRAGMA quick_check(1)', postgresql: `SELECT 'ok' AS quick_check` }),
  )
  const said = row?.quick_check ?? 'ok'
  return said === 'ok' ? undefined : said.replaceAll('\n', ' ')
})

/** One rule over one slice of keys behind `after`. */
export const checkSlice = farReader(
  'store.checkSlice',
  async (tx, input: { readonly rule: number; readonly after: Key }): Promise<Sliced> => {
    const rule = rules[input.rule] as Rule
    if (rule.slice === 'whole') return { found: await tx.all(rule.sql), reached: undefined }
    const { table, key, rows } = cuts[rule.slice]
    const end = await tx.get<{ reached: Key | null }>(
      `SELECT max(${key}) AS reached
       FROM (SELECT ${key} FROM ${table} WHERE ${key} > ?1 ORDER BY ${key} LIMIT ${rows}) AS slice`,
      input.after,
    )
    const reached = end?.reached ?? undefined
    if (reached === undefined) return { found: [], reached }
    const found = await tx.all<Sliced['found'][number]>(rule.sql, input.after, reached)
    // In the same order on every store.
    return { found: found.sort((a, b) => (a.place < b.place ? -1 : 1)), reached }
  },
)

/** Staged bodies that rows name, in slices by body. */
export const stagedBodies = farReader('store.stagedBodies', (tx, after: number) =>
  tx.all<{ id: number; staged: string; size_octets: number }>(
    `SELECT id, staged, size_octets FROM body WHERE id > ?1 AND staged IS NOT NULL
     ORDER BY id LIMIT 1000`,
    after,
  ),
)

/**
 * Every broken invariant. `staged` is what the disk holds; without it the files are not looked at.
 * A file that no row names is no finding: sweep.ts removes it.
 */
export async function findings(
  store: Store,
  staged?: readonly StagedFile[],
): Promise<readonly Finding[]> {
  const structure = await store.read(checkStructure, undefined)
  const all: Finding[] = structure.map(detail => ({
    rule: 'the database is whole',
    where: 'the database',
    detail,
  }))
  // A database whose pages are damaged answers no further question reliably.
  if (all.length > 0) return all
  for (const [index, { name, slice }] of rules.entries()) {
    all.push(...(await broken(store, index, name, slice)))
  }
  if (staged !== undefined) all.push(...(await missingFiles(store, staged)))
  return all
}

async function broken(store: Store, rule: number, name: string, slice: Slice): Promise<Finding[]> {
  const all: Finding[] = []
  let after: Key | undefined = slice === 'whole' ? '' : cuts[slice].first
  while (after !== undefined && all.length < findingsMax) {
    const { found, reached }: Sliced = await store.read(checkSlice, { rule, after })
    for (const { place, detail } of found) all.push({ rule: name, where: place, detail })
    after = reached
  }
  return all.slice(0, findingsMax)
}

async function missingFiles(store: Store, staged: readonly StagedFile[]): Promise<Finding[]> {
  const rule = 'a staged body is on the disk, whole'
  const sizes = new Map(staged.map(file => [file.name, file.sizeOctets]))
  const all: Finding[] = []
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = await store.read(stagedBodies, after)
    const last = rows.at(-1)
    if (last === undefined) return all
    for (const { id, staged: name, size_octets } of rows) {
      const size = sizes.get(stemOf(name))
      const wanted = storedOctets(name, size_octets)
      if (size === wanted) continue
      const detail = size === undefined ? `${name} is missing` : `${name}: ${size}, not ${wanted}`
      all.push({ rule, where: `body ${id}`, detail })
    }
    after = last.id
  }
}
