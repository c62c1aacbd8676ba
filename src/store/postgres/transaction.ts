/**
 * Read and Write of src/world/sql.ts over one connection to PostgreSQL. Made for one call of a reader or
 * one batch of writers and ended behind it. Does not begin, commit or roll back.
 *
 * `many` gives no answer, so it does not wait for one: its statements are on their way, in order, while
 * the writer goes on. What they failed with is thrown by the next statement that waits, or by `settled`;
 * until then PostgreSQL refuses everything behind the failure, so nothing is done in its ignorance.
 */
import type { PostgresConnection, Statement } from '../../world/node/postgres.ts'
import type { Value, Write } from '../../world/sql.ts'
import { statementOf, statementsOf } from './statement.ts'

export class PostgresTransaction implements Write {
  readonly #connection: PostgresConnection
  readonly #pending = new Set<Promise<unknown>>()
  #failure: { readonly error: unknown } | undefined
  #ended = false

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  async all<Row extends object>(sql: string, ...values: Value[]): Promise<Row[]> {
    return (await this.#answer<Row>(sql, values)).rows
  }

  async get<Row extends object>(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return (await this.#answer<Row>(sql, values)).rows[0]
  }

  async run(sql: string, ...values: Value[]): Promise<number> {
    return (await this.#answer(sql, values)).count
  }

  async many(sql: string, rows: readonly (readonly Value[])[]): Promise<void> {
    this.#stand()
    for (const statement of statementsOf(sql, rows)) this.send(statement)
  }

  /** Sends a statement whose answer nobody waits for now. */
  send(statement: Statement): void {
    const sent: Promise<unknown> = this.#connection.query(statement).then(
      () => {
        this.#pending.delete(sent)
      },
      (error: unknown) => {
        this.#pending.delete(sent)
        this.#failure ??= { error }
      },
    )
    this.#pending.add(sent)
  }

  /** Waits for all that was sent; throws what failed first. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
    this.#throwFailure()
  }

  /** Forgets a failure: its savepoint was rolled back. */
  async forget(): Promise<void> {
    await Promise.all(this.#pending)
    this.#failure = undefined
  }

  /** Takes the power away. */
  end(): void {
    this.#ended = true
  }

  #stand(): void {
    if (this.#ended)
      throw new Error('the transaction has ended; a reader or writer forgot an await')
    this.#throwFailure()
  }

  async #answer<Row extends object>(sql: string, values: readonly Value[]) {
    this.#stand()
    try {
      return await this.#connection.query<Row>(statementOf(sql, values))
    } catch (error) {
      // Answers come in order: what failed before is the cause of this.
      this.#failure ??= { error }
      throw this.#failure.error
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
