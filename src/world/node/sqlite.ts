/**
 * SQLite by node:sqlite: the one file that touches it. A connection is synchronous and belongs to
 * one thread; src/store decides which thread that is. Statements are prepared once for each text and
 * kept, up to a bound. Nothing here knows the schema, the dialect or a StoreError.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Value } from '../sql.ts'

export interface SqliteOptions {
  readonly readOnly?: boolean
  /** How long a statement waits for another connection's lock. */
  readonly busyTimeoutMs?: number
}

/** More texts than any Postrider has; a bound all the same. */
const statementsMax = 512

export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  /** Opens the file (or ':memory:'); an error of SQLite keeps its number: see `sqliteCode`. */
  constructor(path: string, options: SqliteOptions = {}) {
    this.#database = new DatabaseSync(path, {
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
    // The rows of node:sqlite have no prototype; a reader on another thread would see plain objects.
    return this.#statement(sql)
      .all(...values.map(bindable))
      .map(row => ({ ...row }) as Row)
  }

  get<Row extends object>(sql: string, values: readonly Value[]): Row | undefined {
    const row = this.#statement(sql).get(...values.map(bindable))
    return row === undefined ? undefined : ({ ...row } as Row)
  }

  /** Runs one statement; returns the number of rows it changed. */
  run(sql: string, values: readonly Value[]): number {
    return Number(this.#statement(sql).run(...values.map(bindable)).changes)
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= statementsMax) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
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
