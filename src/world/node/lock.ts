/**
 * The exclusive lock on a data directory. It is a lock of the operating system, taken by SQLite on a
 * file of its own, so it dies with the process however that ends, and a stale one cannot exist.
 */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolders } from './make-folders.ts'
import { give, ownerOf } from './owner.ts'

export interface DirectoryLock {
  readonly held: false
  release(): void
}

/** SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_NOTADB. */
const BUSY = 5
const CANTOPEN = 14
const NOTADB = 26

/** Locks the directory (made, 0700, if need be), or says that another process has it. */
export function lockDirectory(path: string): DirectoryLock | { readonly held: true } {
  makeFolders(path, 0o700)
  const file = join(path, 'lock')
  const database = open(file)
  try {
    chmodSync(file, 0o600)
    const owner = ownerOf(path)
    if (owner !== undefined) give(file, owner)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const code = ((error as { errcode?: number }).errcode ?? 0) % 256
    if (code === BUSY) return { held: true }
    if (code === NOTADB) throw refusedLock(`${file} is no lock of ours: remove it`, 'EIO', error)
    throw error
  }
  return { held: false, release: () => database.close() }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 })
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== CANTOPEN) throw error
    const remedy = 'the data folder and all in it must belong to the user of the server (chown -R)'
    throw refusedLock(`${file} may not be opened by this user: ${remedy}`, 'EACCES', error)
  }
}

/** What the command line tells as it is, with the exit code of such a system error. */
function refusedLock(message: string, code: string, cause: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code })
}
