/**
 * SQLite by node:sqlite: the one file that touches it. A connection is synchronous and belongs to
 * one thread; src/store decides which thread that is. Statements are prepared once for each text and
 * kept, up to a bound. Nothing here knows the schema, the dialect or a StoreError.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type { Value } from '../sql.ts'

export interface SqliteOptions {
  readonly readOnly?: boolean
  /** Takes the file as it is: looks for no log, and makes none. Only where nobody writes it. */
  readonly immutable?: boolean
  /** How long a statement waits for another connection's lock. */
  readonly busyTimeoutMs?: number
}

/** More texts than any Postrider has; a bound all the same. */
const statementsMax = 512

export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  /** Opens the file (or ':memory:'); an error of SQLite keeps its number: see `sqliteCode`. */
  constructor(path: string, options: SqliteOptions = {}) {
    this.#database = new DatabaseSync(options.immutable === true ? immutable(path) : path, {
      readOnly: options.readOnly ?? false,
      timeout: options.busyTimeoutMs ?? 5_000,
      enableForeignKeyConstraints: false,
      enableDoubleQuotedStringLiterals: false,
    })
  }

  /** False once SQLite has rolled the transaction back by itself (full disk, I/O error). */
  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Runs statements that take no values and give no rows: schema, PRAGMA. */
  execute(sql: string): void {
    this.#database.exec(sql)
  }

  all<Row extends object>(sql: string, values: readonly Value[]): Row[] {
    const { statement, columns } = this.#prepared(sql)
    const rows = statement.all(...values.map(bindable)) as unknown as Value[][]
    return rows.map(row => named<Row>(columns, row))
  }

  get<Row extends object>(sql: string, values: readonly Value[]): Row | undefined {
    const { statement, columns } = this.#prepared(sql)
    const row = statement.get(...values.map(bindable)) as unknown as Value[] | undefined
    return row === undefined ? undefined : named<Row>(columns, row)
  }

  /** Runs one statement; returns the number of rows it changed. */
  run(sql: string, values: readonly Value[]): number {
    return Number(this.#prepared(sql).statement.run(...values.map(bindable)).changes)
  }

  /** The whole database, as its file would be. */
  image(): Uint8Array {
    return this.#database.serialize()
  }

  /** Takes an image for its database, in place of what is there, in memory. */
  become(image: Uint8Array): void {
    this.#statements.clear()
    this.#database.deserialize(image)
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepared(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= statementsMax) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    const statement = this.#database.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
    this.#statements.set(sql, prepared)
    return prepared
  }
}

/** As a URI with its flag (sqlite.org/uri.html §3.3). */
function immutable(path: string): URL {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  return url
}

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

/**
 * A row by its columns' names. The rows that node:sqlite itself names have no prototype, and cost four times as
 * much: to copy one of eight columns into a plain object takes 10 us.
 */
function named<Row extends object>(columns: readonly string[], values: readonly Value[]): Row {
  const row: Record<string, Value> = {}
  for (let i = 0; i < columns.length; i++) row[columns[i] as string] = values[i] as Value
  return row as Row
}

/**
 * node:sqlite binds every number as REAL: 7 / 2 would be 3.5 and 7 in a TEXT column '7.0'. A whole
 * number goes as INTEGER, as it would to PostgreSQL.
 */
function bindable(value: Value): SQLInputValue {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value
}

/** The extended result code of an error that SQLite made (sqlite.org/rescode.html), else undefined. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
