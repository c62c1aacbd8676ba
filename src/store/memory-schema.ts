/**
 * A new database in memory with its schema in place. The migrations run once in a process; whoever comes later gets
 * what they have left, octet by octet: a town of the simulated internet has three servers, and a test run a thousand
 * towns. Called by memory.ts.
 */
import { SqliteConnection } from '../world/node/sqlite.ts'
import { migrate } from './migrate.ts'

let left: Uint8Array | undefined

/** @param now when its migrations were made */
export function newDatabase(now: number): SqliteConnection {
  const connection = new SqliteConnection(':memory:')
  if (left === undefined) {
    migrate(connection, 'the store in memory', now)
    left = connection.image()
  } else {
    connection.become(left)
    connection.run('UPDATE migration SET at = ?1', [now])
  }
  return connection
}
