/**
 * Connections that read: each is one reader's at a time, none is opened before it is wanted, and never
 * more than the pool may have. Called by open.ts, once for near and once for far readers, so that
 * long reads never keep short ones waiting.
 */
import type { PostgresConnection } from '../../world/node/postgres.ts'
import { type Reader, StoreError } from '../store.ts'
import type { Connector } from './connector.ts'
import { postgresFailure } from './failure.ts'
import { PostgresTransaction } from './transaction.ts'

/** How long a read waits for a server that is not there. */
const patienceMs = 5_000
/** Readers that may wait for a connection: bounded memory, whatever comes. */
const waitingMax = 10_000

/** One state of the database from the first statement to the last; a reader that writes fails. */
const BEGIN = { sql: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', values: [], key: 'read' }
const COMMIT = { sql: 'COMMIT', values: [], key: 'commit' }

export class Pool {
  readonly #connector: Connector
  readonly #max: number
  readonly #idle: PostgresConnection[] = []
  readonly #waiting: (() => void)[] = []
  #open = 0
  #closed = false

  constructor(connector: Connector, max: number) {
    this.#connector = connector
    this.#max = max
  }

  /** Runs a reader; a connection that is lost under it costs it one more try. */
  async read(reader: Reader<unknown, unknown>, input: unknown): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const connection = await this.#take()
      try {
        return await this.#run(connection, reader, input)
      } catch (error) {
        if (connection.lost === undefined) throw postgresFailure(error)
        this.#suspect()
        if (tries === 2) throw new StoreError('busy', `the read was cut off: ${String(error)}`)
      } finally {
        this.#give(connection)
      }
    }
  }

  /** Closes what is idle now, and the rest as it comes back. */
  async close(): Promise<void> {
    this.#closed = true
    for (const next of this.#waiting.splice(0)) next()
    await Promise.all(this.#idle.splice(0).map(connection => connection.close()))
  }

  /** One was lost while it was used: those that rest came to the same server, and may be dead without having heard of it. */
  #suspect(): void {
    for (const connection of this.#idle.splice(0)) {
      this.#open--
      connection.destroy(new Error('its neighbour was lost'))
    }
  }

  async #run(
    connection: PostgresConnection,
    reader: Reader<unknown, unknown>,
    input: unknown,
  ): Promise<unknown> {
    const tx = new PostgresTransaction(connection)
    tx.send(BEGIN)
    try {
      const output = await reader.run(tx, input)
      await tx.settled()
      return output
    } finally {
      tx.end()
      // Its answer comes before that of whatever the connection does next; COMMIT of a failure rolls back.
      connection.query(COMMIT).catch(() => {})
    }
  }

  async #take(): Promise<PostgresConnection> {
    for (;;) {
      if (this.#closed) throw new StoreError('closed', 'the store is closed')
      const idle = this.#idle.pop()
      if (idle !== undefined) {
        if (idle.lost === undefined) return idle
        this.#open--
        continue
      }
      if (this.#open < this.#max) return this.#fresh()
      if (this.#waiting.length >= waitingMax) throw new StoreError('busy', 'too many readers wait')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async #fresh(): Promise<PostgresConnection> {
    this.#open++
    try {
      return await this.#connector.connect('postrider reader', patienceMs)
    } catch (error) {
      this.#open--
      this.#waiting.shift()?.()
      throw postgresFailure(error)
    }
  }

  #give(connection: PostgresConnection): void {
    if (connection.lost !== undefined) this.#open--
    else if (this.#closed) void connection.close()
    else this.#idle.push(connection)
    this.#waiting.shift()?.()
  }
}
