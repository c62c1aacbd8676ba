/**
 * A connection that writes, with a mark of its own in the database, by which the outcome of a batch
 * is known even where the answer to its COMMIT was lost. Called by committer.ts.
 *
 * Each batch first sets the number of its batch in its link's row of `store_writer`, in the batch's own
 * transaction. After a loss, another connection fences the row: whatever the old session still had under
 * way can no longer set it and so fails; what had set it is waited for. The number that then stands
 * there tells whether the batch was committed. It holds through a crash of the server, as the mark is
 * in the same transaction, and through a failover that lost the batch, as it lost the mark too.
 */
import type { PostgresConnection, Statement } from '../../world/node/postgres.ts'
import type { Connector } from './connector.ts'
import { statementOf } from './statement.ts'

const REGISTER = `INSERT INTO store_writer (id, batch, fenced, at) VALUES (?1, 0, 0, :now)`
const FORGET = `DELETE FROM store_writer WHERE id = ?1`
/** What dead nodes left behind; a link that was idle so long is fenced and simply makes another. */
const FORGET_OLD = `DELETE FROM store_writer WHERE at < :now - ${30 * 24 * 3_600_000}`
/** Fails with division_by_zero where the link is fenced: then nothing behind it in the batch is done. */
const MARK = `WITH mark AS (UPDATE store_writer SET batch = ?2, at = :now WHERE id = ?1 AND fenced = 0 RETURNING 1)
  SELECT 1 / count(*) AS held FROM mark`
const FENCE = `UPDATE store_writer SET fenced = 1 WHERE id = ?1 RETURNING batch`
/** The old session may be stuck in a network that is cut: the server ends it now. */
const END_SESSION = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = ?1 AND pid <> pg_backend_pid()`

/** An operator may ask for more than 'on' or for 'local'; 'off' would make a 250 a lie (RFC 5321 §6.1). */
const NEVER_OFF = `SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off'`

export class Link {
  readonly id: string
  readonly connection: PostgresConnection
  #batch = 0

  private constructor(id: string, connection: PostgresConnection) {
    this.id = id
    this.connection = connection
  }

  /** Connects and registers under an id that nobody had before. */
  static async open(connector: Connector, patienceMs: number): Promise<Link> {
    const { random } = connector.options
    const id = `postrider writer ${random.below(2 ** 30).toString(36)}${random.below(2 ** 30).toString(36)}`
    const connection = await connector.connect(id, patienceMs)
    try {
      await Promise.all([
        connection.query(statementOf(NEVER_OFF, [])),
        connection.query(statementOf(FORGET_OLD, [])),
        connection.query(statementOf(REGISTER, [id])),
      ])
    } catch (error) {
      connection.destroy(new Error('could not register'))
      throw error
    }
    return new Link(id, connection)
  }

  /** The number of the batch that was marked last. */
  get batch(): number {
    return this.#batch
  }

  /** What marks the next batch: its first statement. */
  mark(): Statement {
    return statementOf(MARK, [this.id, ++this.#batch])
  }

  /** Fences a lost link off; gives the number of the last batch that it committed. */
  async fence(lost: Link): Promise<number> {
    await this.connection.query(statementOf(END_SESSION, [lost.id]))
    const { rows } = await this.connection.query<{ batch: number }>(statementOf(FENCE, [lost.id]))
    return rows[0]?.batch ?? 0
  }

  /** Forgets a link that was fenced and asked about. Without it the row goes after 30 days. */
  forget(lost: Link): void {
    this.connection.query(statementOf(FORGET, [lost.id])).catch(() => {})
  }

  async close(): Promise<void> {
    this.forget(this)
    await this.connection.close()
  }
}
