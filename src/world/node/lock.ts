/**
 * The exclusive lock on a data directory. It is a lock of the operating system, taken by SQLite on a
 * file of its own, so it dies with the process however that ends, and a stale one cannot exist.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface DirectoryLock {
  readonly held: false
  release(): void
}

/** SQLITE_BUSY. */
const BUSY = 5

/** Locks the directory (made, 0700, if need be), or says that another process has it. */
export function lockDirectory(path: string): DirectoryLock | { readonly held: true } {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const file = join(path, 'lock')
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    chmodSync(file, 0o600)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === BUSY) return { held: true }
    throw error
  }
  return { held: false, release: () => database.close() }
}
