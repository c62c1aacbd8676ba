/**
 * From a room's SQL text to a prepared statement of PostgreSQL: compiled once, under a key by which each
 * connection prepares it once. An INSERT of many rows becomes one statement or a few (insert.ts).
 */
import type { Statement } from '../../world/node/postgres.ts'
import type { Value } from '../../world/sql.ts'
import { type CompiledSql, postgresql } from '../dialect.ts'
import { type InsertParts, insertParts, portion } from '../insert.ts'

/** Texts are constants of the program: the bound only guards against one that is built from input. */
const compiledMax = 1_024
/** Rows of the largest INSERT; more rows are more statements, sent without waiting. */
const rowsMax = 128
/** So few rows are always one statement: a batch of nine is 8 messages to the server instead of 12. */
const exactMax = 24
/** Values of one statement: the protocol counts them in 16 bits. */
const valuesMax = 65_535

interface Known extends CompiledSql {
  readonly key: string
  /** An INSERT ... VALUES (...) as its parts, where several rows may go into one. */
  readonly parts?: InsertParts
}

const known = new Map<string, Known>()
let lastKey = 0

function compiled(text: string): Known {
  const before = known.get(text)
  if (before !== undefined) return before
  if (known.size >= compiledMax) known.clear()
  const fresh = postgresql.compile(text)
  const parts = insertParts(fresh.sql)
  const entry = { ...fresh, key: `s${++lastKey}`, ...(parts === undefined ? {} : { parts }) }
  known.set(text, entry)
  return entry
}

function expect(values: number, given: number, text: string): void {
  if (values === given) return
  // A missing value would be NULL to SQLite and an error to PostgreSQL: an error to both.
  throw new Error(`the statement takes ${values} values, not ${given}: ${text}`)
}

/** One statement. Throws where the text takes another number of values. */
export function statementOf(text: string, values: readonly Value[]): Statement {
  const { sql, key, values: taken } = compiled(text)
  expect(taken, values.length, text)
  return { sql, values, key }
}

/** The statements that run the text once for each row. */
export function statementsOf(text: string, rows: readonly (readonly Value[])[]): Statement[] {
  const { sql, key, values: taken, parts } = compiled(text)
  for (const row of rows) expect(taken, row.length, text)
  if (parts === undefined) return rows.map(values => ({ sql, values, key }))
  const most = Math.min(rowsMax, Math.max(1, Math.floor(valuesMax / Math.max(1, taken))))
  const statements: Statement[] = []
  for (let from = 0; from < rows.length; ) {
    const left = rows.length - from
    const count = left <= Math.min(exactMax, most) ? left : portion(left, most)
    const values = rows.slice(from, from + count).flat()
    statements.push({ sql: multiplied(parts, taken, count), values, key: `${key}x${count}` })
    from += count
  }
  return statements
}

const multiples = new WeakMap<InsertParts, Map<number, string>>()

function multiplied(parts: InsertParts, taken: number, count: number): string {
  const made = multiples.get(parts) ?? new Map<number, string>()
  multiples.set(parts, made)
  const before = made.get(count)
  if (before !== undefined) return before
  const rows = Array.from({ length: count }, (_, n) =>
    parts.row.replace(/'[^']*'|\$(\d+)/g, (token, number?: string) =>
      number === undefined ? token : `$${Number(number) + n * taken}`,
    ),
  )
  const sql = `${parts.head}${rows.join(', ')}${parts.tail}`
  made.set(count, sql)
  return sql
}
