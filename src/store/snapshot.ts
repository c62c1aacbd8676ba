/**
 * Runs readers on one connection of this thread. Each sees one state of the database from its first
 * statement to its last. Readers that overlap share a read transaction: they await nothing but the
 * connection, which answers at once, so the transaction ends within the turn that began it and no
 * later reader sees an old state. Called by open.ts (near readers) and reader-worker.ts (far ones).
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
import { storeFailure } from './failure.ts'
import { type Reader, StoreError } from './store.ts'
import { Transaction } from './transaction.ts'

export class Snapshots {
  readonly #open: () => SqliteConnection
  #connection: SqliteConnection | undefined
  #readers = 0
  #spent = false

  /** `open` is called at the first read, and again after a connection has failed. */
  constructor(open: () => SqliteConnection) {
    this.#open = open
  }

  async read(reader: Reader<unknown, unknown>, input: unknown, now: number): Promise<unknown> {
    let tx: Transaction | undefined
    try {
      this.#connection ??= this.#open()
      if (this.#readers === 0) this.#connection.run('BEGIN', [])
      this.#readers++
      tx = new Transaction(this.#connection, now)
      return await reader.run(tx, input)
    } catch (error) {
      const failure = storeFailure(error)
      if (failure instanceof StoreError && failure.reason === 'broken') this.close()
      throw failure
    } finally {
      tx?.end()
      if (tx !== undefined) this.#leave()
    }
  }

  /** Closes the connection as soon as nobody reads on it. A later read opens another. */
  close(): void {
    this.#spent = true
    if (this.#readers === 0) this.#drop()
  }

  #leave(): void {
    this.#readers--
    if (this.#readers > 0) return
    if (this.#connection?.inTransaction) this.#connection.run('COMMIT', [])
    if (this.#spent) this.#drop()
  }

  #drop(): void {
    this.#connection?.close()
    this.#connection = undefined
    this.#spent = false
  }
}
