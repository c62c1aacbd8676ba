/**
 * Opens the store on PostgreSQL: one connection that writes, a few that read, one that wakes. Readers and
 * writers run in this process, on functions that their callers hand over, so that no module is looked
 * up by name. The composer (server/folder.ts) calls it on every node; nodes share nothing else.
 */
import type { Clock } from '../../world/clock.ts'
import type { Log } from '../../world/log.ts'
import type { Random } from '../../world/random.ts'
import { type Reader, type Store, StoreError, type Writer } from '../store.ts'
import { PostgresCommitter } from './committer.ts'
import { Connector } from './connector.ts'
import { postgresFailure } from './failure.ts'
import { migratePostgres } from './migrate.ts'
import { Pool } from './pool.ts'
import { Wakes } from './wakes.ts'

export interface PostgresStoreOptions {
  /** postgres://user:password@host:port/database; `?options=-c search_path=name` for a schema of its own. */
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Connections of this node in all, at least 4; 10 if not given. */
  readonly poolMax?: number
  /** How long one statement may take; 30 s if not given. */
  readonly statementTimeoutMs?: number
}

/** Connects, migrates or refuses. Rejects with StoreError, and leaves a database that is not ours as it is. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, clock, random, log, statementTimeoutMs = 30_000, poolMax = 10 } = options
  const connector = new Connector({ url, clock, random, log, statementTimeoutMs })
  const committer = new PostgresCommitter(connector)
  const wakes = new Wakes(connector)
  // One that writes, one that wakes; the rest reads, a quarter of it at length.
  const reading = Math.max(2, poolMax - 2)
  const far = new Pool(connector, Math.max(1, Math.floor(reading / 4)))
  const near = new Pool(connector, Math.max(1, reading - Math.max(1, Math.floor(reading / 4))))
  try {
    await prepare(connector, named(url))
    await committer.start()
    await wakes.start()
  } catch (error) {
    connector.close()
    await Promise.all([committer.close(), wakes.close()])
    throw postgresFailure(error)
  }
  let closed = false
  return {
    alone: false,
    slot: () => wakes.slot,
    async read<Input, Output>(reader: Reader<Input, Output>, input: Input): Promise<Output> {
      if (closed) throw new StoreError('closed', 'the store is closed')
      const pool = reader.reach === 'near' ? near : far
      return (await pool.read(reader as Reader<unknown, unknown>, input)) as Output
    },
    write<Input, Output>(
      writer: Writer<Input, Output>,
      input: Input,
      moved: readonly ArrayBuffer[] = [],
    ): Promise<Output> {
      // The erased type: a batch gives each writer only the inputs that came with it.
      const erased = writer as unknown as Writer<unknown, unknown>
      return committer.write(erased, input, moved) as Promise<Output>
    },
    wake: topic => wakes.wake(topic),
    onWake: listen => wakes.onWake(listen),
    stats: () => committer.stats,
    async close(): Promise<void> {
      closed = true
      await committer.close()
      await Promise.all([near.close(), far.close(), wakes.close()])
      connector.close()
    },
  }
}

async function prepare(connector: Connector, name: string): Promise<void> {
  // An index of a large table takes its time, and so does another node that has the first turn.
  const connection = await connector.connect('postrider migration', 10_000, 0)
  try {
    await migratePostgres(connection, name)
  } finally {
    await connection.close()
  }
}

/** How errors call the database: never with its password. */
function named(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `the database ${pathname.slice(1)} at ${host}`
  } catch {
    return 'the PostgreSQL database'
  }
}
