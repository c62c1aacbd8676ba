/**
 * Read and Write of src/world/sql.ts over one SQLite connection. Made for one call of a reader or
 * one batch of writers and ended behind it, so that a power that was kept by mistake does nothing.
 * Does not begin, commit or roll back: that is the committer's (src/store/batch.ts).
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
import type { Value, Write } from '../world/sql.ts'
import { type SqliteSql, sqlite } from './dialect.ts'
import { type InsertParts, insertParts, portion } from './insert.ts'

interface Known extends SqliteSql {
  /** Of an INSERT that may take several rows: its parts, and its texts by their number. */
  readonly parts?: InsertParts
  readonly multiples: Map<number, string>
}

const compiled = new Map<string, Known>()
/** Texts are constants of the program: the bound only guards against a text built from input. */
const compiledMax = 1_024
/** Rows of the largest INSERT. */
const rowsMax = 16

function compile(text: string): Known {
  const known = compiled.get(text)
  if (known !== undefined) return known
  if (compiled.size >= compiledMax) compiled.clear()
  const plain = sqlite.compile(text)
  const parts = insertParts(plain.sql)
  const fresh = { ...plain, ...(parts === undefined ? {} : { parts }), multiples: new Map() }
  compiled.set(text, fresh)
  return fresh
}

/** The text for so many rows. */
function multiple({ sql, parts, multiples }: Known, rows: number): string {
  if (parts === undefined || rows === 1) return sql
  const known = multiples.get(rows)
  if (known !== undefined) return known
  const { head, row, tail } = parts
  const fresh = `${head}${Array.from({ length: rows }, () => row).join(', ')}${tail}`
  multiples.set(rows, fresh)
  return fresh
}

export class Transaction implements Write {
  readonly #connection: SqliteConnection
  readonly #now: number
  #ended = false

  constructor(connection: SqliteConnection, now: number) {
    this.#connection = connection
    this.#now = now
  }

  async all<Row extends object>(sql: string, ...values: Value[]): Promise<Row[]> {
    const statement = this.#compile(sql, values.length)
    return this.#connection.all<Row>(statement.sql, this.#bound(statement, values))
  }

  async get<Row extends object>(sql: string, ...values: Value[]): Promise<Row | undefined> {
    const statement = this.#compile(sql, values.length)
    return this.#connection.get<Row>(statement.sql, this.#bound(statement, values))
  }

  async run(sql: string, ...values: Value[]): Promise<number> {
    const statement = this.#compile(sql, values.length)
    return this.#connection.run(statement.sql, this.#bound(statement, values))
  }

  async many(sql: string, rows: readonly (readonly Value[])[]): Promise<void> {
    for (let from = 0; from < rows.length; ) {
      const statement = this.#compile(sql, rows[from]?.length ?? 0)
      const count = portion(rows.length - from, statement.parts === undefined ? 1 : rowsMax)
      const bound: Value[] = []
      for (const row of rows.slice(from, from + count)) {
        this.#compile(sql, row.length)
        this.#bind(bound, statement, row)
      }
      this.#connection.run(multiple(statement, count), bound)
      from += count
    }
  }

  /** Takes the power away. */
  end(): void {
    this.#ended = true
  }

  /** A missing value would be NULL to SQLite and an error to PostgreSQL: an error to both. */
  #compile(sql: string, given: number): Known {
    if (this.#ended)
      throw new Error('the transaction has ended; a reader or writer forgot an await')
    const statement = compile(sql)
    if (statement.values !== given) {
      throw new Error(`the statement takes ${statement.values} values, not ${given}: ${sql}`)
    }
    return statement
  }

  #bound(statement: Known, values: readonly Value[]): readonly Value[] {
    return this.#bind([], statement, values)
  }

  /** Adds to `bound` what the statement's `?`s stand for, in their order. */
  #bind(bound: Value[], { binds }: Known, values: readonly Value[]): Value[] {
    for (const n of binds) bound.push(n === 0 ? this.#now : (values[n - 1] as Value))
    return bound
  }
}
