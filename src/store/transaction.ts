/**
 * Read and Write of src/world/sql.ts over one SQLite connection. Made for one call of a reader or
 * one batch of writers and ended behind it, so that a power that was kept by mistake does nothing.
 * Does not begin, commit or roll back: that is the committer's (src/store/batch.ts).
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
import type { Value, Write } from '../world/sql.ts'
import { type CompiledSql, sqlite } from './dialect.ts'

const compiled = new Map<string, CompiledSql>()
/** Texts are constants of the program: the bound only guards against a text built from input. */
const compiledMax = 1_024

function compile(text: string): CompiledSql {
  const known = compiled.get(text)
  if (known !== undefined) return known
  if (compiled.size >= compiledMax) compiled.clear()
  const fresh = sqlite.compile(text)
  compiled.set(text, fresh)
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
    for (const row of rows) {
      const statement = this.#compile(sql, row.length)
      this.#connection.run(statement.sql, this.#bound(statement, row))
    }
  }

  /** Takes the power away. */
  end(): void {
    this.#ended = true
  }

  /** A missing value would be NULL to SQLite and an error to PostgreSQL: an error to both. */
  #compile(sql: string, given: number): CompiledSql {
    if (this.#ended)
      throw new Error('the transaction has ended; a reader or writer forgot an await')
    const statement = compile(sql)
    if (statement.values !== given) {
      throw new Error(`the statement takes ${statement.values} values, not ${given}: ${sql}`)
    }
    return statement
  }

  #bound(statement: CompiledSql, values: readonly Value[]): readonly Value[] {
    return statement.takesNow ? [...values, this.#now] : values
  }
}
