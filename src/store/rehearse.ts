/**
 * An upgrade rehearsed: a copy of a database is brought to the version this program knows and checked, so
 * that an operator knows beforehand whether it will go and how long it takes. The original is not opened.
 * Called by `postrider check --rehearse` with a copy that it throws away.
 */
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import { SqliteConnection } from '../world/node/sqlite.ts'
import { type Finding, findings } from './check.ts'
import { storeFailure } from './failure.ts'
import { migrate, migrations } from './migrate.ts'
import { openStore } from './open.ts'

export interface Rehearsal {
  /** Versions of the database, before and behind. */
  readonly from: number
  readonly to: number
  readonly migrationMs: number
  readonly findings: readonly Finding[]
}

/** @param path a copy, with its log beside it if it has one. Rejects with StoreError, as a start would. */
export async function rehearse(path: string, clock: Clock, log: Log): Promise<Rehearsal> {
  const { from, migrationMs } = migrated(path, clock)
  const store = await openStore({ path, modules: [], clock, log })
  try {
    return { from, to: migrations.length, migrationMs, findings: await findings(store) }
  } finally {
    await store.close()
  }
}

function migrated(path: string, clock: Clock): Pick<Rehearsal, 'from' | 'migrationMs'> {
  const connection = new SqliteConnection(path)
  try {
    const stated = connection.get<{ user_version: number }>('PRAGMA user_version', [])
    const startedAt = clock.monotonic()
    migrate(connection, path, clock.now())
    return { from: stated?.user_version ?? 0, migrationMs: clock.monotonic() - startedAt }
  } catch (error) {
    throw storeFailure(error)
  } finally {
    connection.close()
  }
}
