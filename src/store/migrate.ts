/**
 * Brings a database to the version this program knows, or refuses it by name: one from a newer version,
 * a damaged one, or one that is not ours is left exactly as it is. Called by open.ts and memory.ts
 * before anything else touches the database.
 *
 * All missing migrations run in one transaction together with their rows in `migration` and the
 * application id, so that a new database is there whole or not at all.
 */
import { createHash } from 'node:crypto'
import { type SqliteConnection, sqliteCode } from '../world/node/sqlite.ts'
import { readShipped } from '../world/node/store-file.ts'
import { sqlite } from './dialect.ts'
import { StoreError } from './store.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  readonly file: URL
  /**
   * The oldest version of the program's own that can work beside it. A step that only adds is safe for all
   * before it; one that takes away names the version that no longer used what goes.
   */
  readonly since: number
}

/** Every migration there ever was, in order; one that has shipped is never edited. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: '0001-start',
    file: new URL('./schema/0001-start.sql', import.meta.url),
    since: 1,
  },
  {
    version: 2,
    name: '0002-cluster',
    file: new URL('./schema/0002-cluster.sql', import.meta.url),
    since: 1,
  },
  {
    version: 3,
    name: '0003-bodies',
    file: new URL('./schema/0003-bodies.sql', import.meta.url),
    since: 1,
  },
  {
    version: 4,
    name: '0004-parameters',
    file: new URL('./schema/0004-parameters.sql', import.meta.url),
    since: 1,
  },
  {
    version: 5,
    name: '0005-transfers',
    file: new URL('./schema/0005-transfers.sql', import.meta.url),
    since: 1,
  },
  {
    version: 6,
    name: '0006-on-demand',
    file: new URL('./schema/0006-on-demand.sql', import.meta.url),
    since: 1,
  },
  {
    version: 7,
    name: '0007-folders',
    file: new URL('./schema/0007-folders.sql', import.meta.url),
    since: 7,
  },
  {
    version: 8,
    name: '0008-lean',
    file: new URL('./schema/0008-lean.sql', import.meta.url),
    since: 7,
  },
  {
    version: 9,
    name: '0009-tracking',
    file: new URL('./schema/0009-tracking.sql', import.meta.url),
    since: 1,
  },
  {
    version: 10,
    name: '0010-saved',
    file: new URL('./schema/0010-saved.sql', import.meta.url),
    since: 1,
  },
  {
    version: 11,
    name: '0011-forgotten',
    file: new URL('./schema/0011-forgotten.sql', import.meta.url),
    since: 1,
  },
  {
    version: 12,
    name: '0012-quota',
    file: new URL('./schema/0012-quota.sql', import.meta.url),
    since: 1,
  },
  {
    version: 13,
    name: '0013-waiting',
    file: new URL('./schema/0013-waiting.sql', import.meta.url),
    since: 1,
  },
  {
    version: 14,
    name: '0014-app-passwords',
    file: new URL('./schema/0014-app-passwords.sql', import.meta.url),
    since: 1,
  },
  {
    version: 15,
    name: '0015-readings',
    file: new URL('./schema/0015-readings.sql', import.meta.url),
    since: 1,
  },
  {
    version: 16,
    name: '0016-released',
    file: new URL('./schema/0016-released.sql', import.meta.url),
    since: 1,
  },
  {
    version: 17,
    name: '0017-annotations',
    file: new URL('./schema/0017-annotations.sql', import.meta.url),
    since: 1,
  },
  {
    version: 18,
    name: '0018-rights',
    file: new URL('./schema/0018-rights.sql', import.meta.url),
    since: 1,
  },
  {
    version: 19,
    name: '0019-undelete',
    file: new URL('./schema/0019-undelete.sql', import.meta.url),
    since: 1,
  },
  {
    version: 20,
    name: '0020-urlauth',
    file: new URL('./schema/0020-urlauth.sql', import.meta.url),
    since: 1,
  },
  {
    version: 21,
    name: '0021-lanes',
    file: new URL('./schema/0021-lanes.sql', import.meta.url),
    since: 1,
  },
  {
    version: 22,
    name: '0022-outgoing',
    file: new URL('./schema/0022-outgoing.sql', import.meta.url),
    since: 1,
  },
  {
    version: 23,
    name: '0023-bans',
    file: new URL('./schema/0023-bans.sql', import.meta.url),
    since: 1,
  },
  {
    version: 24,
    name: '0024-headings',
    file: new URL('./schema/0024-headings.sql', import.meta.url),
    since: 1,
  },
  {
    version: 25,
    name: '0025-identities',
    file: new URL('./schema/0025-identities.sql', import.meta.url),
    since: 1,
  },
  {
    version: 26,
    name: '0026-counts',
    file: new URL('./schema/0026-counts.sql', import.meta.url),
    since: 1,
  },
  {
    version: 27,
    name: '0027-recent',
    file: new URL('./schema/0027-recent.sql', import.meta.url),
    since: 1,
  },
]

/**
 * Where a database keeps the oldest version that can work on it: a node of the last release, started
 * again while a newer one has already migrated, reads there whether it may.
 */
export const SINCE = 'database.since'
export const readSince = `SELECT value FROM setting WHERE name = '${SINCE}'`
export const writeSince = `INSERT INTO setting (name, value) VALUES ('${SINCE}', ?1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`

/** 'POST': the application id of an SQLite file (sqlite.org/fileformat.html §1.3.13). */
const applicationId = 0x504f5354

/** What is fixed when the file is made: before its first page. To a file that is there it would write. */
const atBirth = 'PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;'

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const damaged: ReadonlySet<number> = new Set([11, 26])

/** Migrates the database behind the connection. `named` is how errors call it: its path. */
export function migrate(connection: SqliteConnection, named: string, now: number): void {
  try {
    migrateKnown(connection, named, now)
  } catch (error) {
    if (connection.inTransaction) connection.run('ROLLBACK', [])
    const code = sqliteCode(error)
    if (code === undefined || !damaged.has(code & 0xff)) throw error
    throw new StoreError(
      'broken',
      `${named} is damaged or not a database (SQLite ${code}: ${(error as Error).message}). ` +
        'It was left as it is; restore a backup or move it away.',
    )
  }
}

function migrateKnown(connection: SqliteConnection, named: string, now: number): void {
  // The first read of header and schema: a damaged file shows here.
  const tables = new Set(
    connection
      .all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'", [])
      .map(row => row.name),
  )
  if (tables.size > 0) refuseForeign(connection, named)
  else connection.execute(atBirth)
  const done = tables.has('migration')
    ? connection.all<{ version: number; checksum: string }>(
        'SELECT version, checksum FROM migration ORDER BY version',
        [],
      )
    : []
  // A file has one program at a time, so nothing needs to work beside a newer one (docs/decisions).
  refuseNewer(done, named)
  const stated = connection.get<{ user_version: number }>('PRAGMA user_version', [])
  if ((stated?.user_version ?? 0) > migrations.length) throw newer(named, stated?.user_version ?? 0)
  const missing = migrations.slice(done.length)
  if (missing.length === 0) return
  connection.run('BEGIN IMMEDIATE', [])
  if (done.length === 0) {
    connection.execute(
      `PRAGMA application_id = ${applicationId};
       CREATE TABLE migration (
         version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL
       )`,
    )
  }
  for (const { version, name, file } of missing) {
    const text = readShipped(file)
    connection.execute(sqlite.schema(text))
    connection.run('INSERT INTO migration (version, name, checksum, at) VALUES (?1, ?2, ?3, ?4)', [
      version,
      name,
      checksum(text),
      now,
    ])
  }
  connection.run(writeSince, [String(sinceOf(migrations))])
  connection.execute(`PRAGMA user_version = ${migrations.length}`)
  connection.run('COMMIT', [])
}

function refuseForeign(connection: SqliteConnection, named: string): void {
  const id = connection.get<{ application_id: number }>('PRAGMA application_id', [])
  if (id?.application_id === applicationId) return
  throw new StoreError(
    'broken',
    `${named} is the database of another program; it was left as it is.`,
  )
}

/** What `database.since` is behind these migrations. */
export function sinceOf(all: readonly Migration[]): number {
  return Math.max(...all.map(migration => migration.since))
}

/**
 * Throws where the database is of a newer version that this program cannot work beside, or of another
 * edition of an older one. @param since what the database says of `database.since`
 */
export function refuseNewer(
  done: readonly { readonly version: number; readonly checksum: string }[],
  named: string,
  since?: string,
): void {
  const newest = done.at(-1)?.version ?? 0
  const known = migrations.length
  if (newest > known && !(Number(since) <= known)) {
    throw newer(named, newest)
  }
  for (const [index, { version, checksum: stored }] of done.slice(0, known).entries()) {
    const migration = migrations[index]
    if (migration?.version === version && checksum(readShipped(migration.file)) === stored) continue
    throw new StoreError(
      'broken',
      `${named} was made by another edition of migration ${version}; it was left as it is.`,
    )
  }
}

function newer(named: string, version: number): StoreError {
  return new StoreError(
    'broken',
    `${named} was written by a newer Postrider (database version ${version}, this one knows ` +
      `${migrations.length}). It was left as it is; install the newer version.`,
  )
}

/** What tells editions of a migration apart. */
export function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
