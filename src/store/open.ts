/**
 * Opens the store in a file: the committer in a thread of its own, near readers here, far readers in a
 * thread that starts when one is asked for, and in another what takes minutes (a copy, a look at all pages). The composer (server/, cli/) calls it, once for each file:
 * that nobody else writes there is the data directory's lock, which is not held here.
 */
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import { SqliteConnection } from '../world/node/sqlite.ts'
import { createPrivateFile, isNoFile } from '../world/node/store-file.ts'
import { forgetFolded, refuseLost } from './commit-count.ts'
import { Committer } from './committer.ts'
import { openReading } from './connect.ts'
import { storeFailure } from './failure.ts'
import { FarReaders } from './far-readers.ts'
import type { ThreadData } from './message.ts'
import { migrate } from './migrate.ts'
import { Snapshots } from './snapshot.ts'
import { type Reader, type Store, StoreError, type Writer } from './store.ts'
import { Topics } from './topics.ts'

export interface OpenOptions {
  /** The database file; made, with mode 0600, where there is none. Its directory must be there. */
  readonly path: string
  /** The rooms' reader.ts and writer.ts. check.ts, leap.ts and sweep.ts of this room are always among them. */
  readonly modules: readonly URL[]
  readonly clock: Clock
  readonly log: Log
  /** Bounds the file, in pages of 8 KB: for tests of the full disk. */
  readonly maxPages?: number
}

/** A store in a file: what `backup` needs beside the store's face. */
export interface FileStore extends Store {
  /** Writes one consistent state of the database to a new file, synced; accepts go on meanwhile. */
  copyTo(path: string): Promise<void>
}

const ownModules = [
  './check.ts',
  './leap.ts',
  './sweep.ts',
  './body-chunk.ts',
  './garbage.ts',
  './move-table.ts',
]

/**
 * Opens or makes the database and starts the committer. Rejects with StoreError 'broken', and leaves
 * the file as it is, if it is damaged, of a newer version or not ours.
 */
export async function openStore(options: OpenOptions): Promise<FileStore> {
  const { path, clock, log } = options
  prepare(path, clock.now())
  const thread: ThreadData = {
    path,
    modules: [
      ...ownModules.map(name => new URL(name, import.meta.url).href),
      ...options.modules.map(url => url.href),
    ],
    ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }),
  }
  const committer = new Committer({ thread, clock, log })
  await committer.start()
  const near = new Snapshots(() => openReading(path))
  const far = new FarReaders(thread)
  const aside = new FarReaders(thread)
  const topics = new Topics()
  let closed = false
  return {
    alone: true,
    slot: () => 0,
    wake: topic => topics.wake(topic),
    onWake: listen => topics.onWake(listen),
    async read<Input, Output>(reader: Reader<Input, Output>, input: Input): Promise<Output> {
      if (closed) throw new StoreError('closed', 'the store is closed')
      const now = clock.now()
      const asked = { kind: 'read', reader: reader.name, input, now } as const
      switch (reader.reach) {
        case 'near':
          return (await near.read(reader as Reader<unknown, unknown>, input, now)) as Output
        case 'far':
          return (await far.call(asked)) as Output
        case 'aside':
          return (await aside.call(asked)) as Output
      }
    },
    write<Input, Output>(
      writer: Writer<Input, Output>,
      input: Input,
      moved: readonly ArrayBuffer[] = [],
    ): Promise<Output> {
      const { name, crossing, rows } = writer
      return committer.write(
        name,
        crossing ? crossing.pack(input) : input,
        moved,
        rows?.(input) ?? 1,
      ) as Promise<Output>
    },
    stats: () => committer.stats,
    async copyTo(to: string): Promise<void> {
      await aside.call({ kind: 'copy', to })
    },
    async close(): Promise<void> {
      closed = true
      // Readers first: the writer, closing last, folds the log into the database.
      await Promise.all([far.close(), aside.close()])
      near.close()
      await committer.close()
    },
  }
}

/** Makes, migrates or refuses the file before any thread sees it. */
function prepare(path: string, now: number): void {
  let connection: SqliteConnection | undefined
  try {
    if (isNoFile(path)) throw new StoreError('broken', `${path} is no file: move it away`)
    refuseLost(path)
    createPrivateFile(path)
    connection = new SqliteConnection(path)
    migrate(connection, path, now)
  } catch (error) {
    throw namedFailure(error, path)
  } finally {
    connection?.close()
  }
  forgetFolded(path)
}

/** SQLite's own words name no file, and an operator may have several. */
function namedFailure(error: unknown, path: string): Error {
  const failure = storeFailure(error)
  if (!(failure instanceof StoreError) || failure.message.includes(path)) return failure
  return new StoreError(failure.reason, `${path}: ${failure.message}`)
}
