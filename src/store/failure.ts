/**
 * What went wrong, as the store's callers hear it: SQLite's numbers become a StoreError's reason, and
 * errors become plain data where they cross a thread. Everything else stays an Error with its message:
 * it is a bug of the writer, and says so.
 */
import { sqliteCode } from '../world/node/sqlite.ts'
import { StoreError } from './store.ts'

/** Primary result codes, sqlite.org/rescode.html. */
const reasons: Readonly<Record<number, StoreError['reason']>> = {
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  7: 'busy', // SQLITE_NOMEM
  8: 'broken', // SQLITE_READONLY
  10: 'broken', // SQLITE_IOERR
  11: 'broken', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'broken', // SQLITE_CANTOPEN
  15: 'broken', // SQLITE_PROTOCOL
  19: 'conflict', // SQLITE_CONSTRAINT
  26: 'broken', // SQLITE_NOTADB
}

/**
 * write(2) failed, or the shared index could not grow. SQLite says SQLITE_FULL for ENOSPC only; a
 * quota (EDQUOT) and a file size limit (EFBIG) come as these, and they too mean that there is no room.
 */
const noRoom: ReadonlySet<number> = new Set([10 | (3 << 8), 10 | (19 << 8)])

/** A StoreError where SQLite is at fault, else the error itself. */
export function storeFailure(error: unknown): Error {
  if (error instanceof StoreError) return error
  const code = sqliteCode(error)
  if (code !== undefined) {
    const reason = noRoom.has(code) ? 'full' : reasons[code & 0xff]
    const message = `${(error as Error).message} (SQLite ${code})`
    if (reason !== undefined) return new StoreError(reason, message)
  }
  return error instanceof Error ? error : new Error(String(error))
}

/** An error as data. */
export interface FailureData {
  readonly message: string
  readonly reason?: StoreError['reason']
  readonly stack?: string
}

export function failureData(error: unknown): FailureData {
  const failure = storeFailure(error)
  if (failure instanceof StoreError) return { message: failure.message, reason: failure.reason }
  return { message: failure.message, ...(failure.stack ? { stack: failure.stack } : {}) }
}

/** The error again, on the other side. */
export function failureOf(data: FailureData): Error {
  if (data.reason !== undefined) return new StoreError(data.reason, data.message)
  const error = new Error(data.message)
  // The stack of the thread where it happened is the one that helps.
  if (data.stack !== undefined) error.stack = data.stack
  return error
}
