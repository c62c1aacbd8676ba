/**
 * Opens connections to the database file the way the store wants them. The numbers are measured:
 * pages of 8 KB, a log that is folded back every 4 MB, a cache of 16 MB.
 */
import { SqliteConnection } from '../world/node/sqlite.ts'

/**
 * WAL with synchronous=FULL syncs the log at every commit: the 250 may be sent behind it
 * (RFC 5321 §6.1). `fullfsync` matters on macOS only, where a plain fsync does not reach the disk.
 */
const writing = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA wal_autocheckpoint = 512;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
`

const reading = `
  PRAGMA query_only = ON;
  PRAGMA cache_size = -8192;
  PRAGMA temp_store = MEMORY;
`

/** The one connection that writes. `maxPages` bounds the file, for a test of the full disk. */
export function openWriting(path: string, maxPages?: number): SqliteConnection {
  const connection = new SqliteConnection(path)
  try {
    connection.execute(writing)
    if (maxPages !== undefined) connection.execute(`PRAGMA max_page_count = ${maxPages}`)
    // The first read makes the log and its index, which readers then find.
    connection.get('SELECT count(*) FROM sqlite_schema', [])
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}

/**
 * A connection that reads. Not opened read-only: after a crash the first one to come must be able to
 * recover the log, whoever it is; `query_only` keeps it from writing.
 */
export function openReading(path: string): SqliteConnection {
  const connection = new SqliteConnection(path)
  try {
    connection.execute(reading)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}
