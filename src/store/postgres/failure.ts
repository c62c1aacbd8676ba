/**
 * What PostgreSQL's SQLSTATEs mean to the store (postgresql.org, appendix A): which errors are a
 * StoreError's, which make the whole batch worth another try, which say that the connection is gone.
 */
import { sqlState } from '../../world/node/postgres.ts'
import { StoreError } from '../store.ts'

/** Whole states, then classes (the first two characters). */
const reasons: Readonly<Record<string, StoreError['reason']>> = {
  '53100': 'full', // disk_full
  '57014': 'busy', // query_canceled: statement_timeout
  '55P03': 'busy', // lock_not_available: lock_timeout
  '25006': 'broken', // read_only_sql_transaction: a standby, or a reader that writes
  '23': 'conflict', // integrity constraint
  '40': 'busy', // transaction rollback
  '53': 'busy', // insufficient resources
  '08': 'busy', // connection exception
  '57': 'busy', // operator intervention: shutdown, crash, starting up
  '58': 'broken', // system error
  XX: 'broken', // internal error, data corrupted
}

/** A StoreError where PostgreSQL or the way to it is at fault, else the error itself. */
export function postgresFailure(error: unknown): Error {
  if (error instanceof StoreError) return error
  const state = sqlState(error)
  if (state === undefined) return error instanceof Error ? error : new Error(String(error))
  const message = `${(error as Error).message} (PostgreSQL ${state})`
  const reason = reasons[state] ?? reasons[state.slice(0, 2)]
  return reason === undefined ? new Error(message) : new StoreError(reason, message)
}

/** serialization_failure and deadlock_detected: nobody is to blame, and the next try may do. */
export function isWorthAnotherTry(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** lock_not_available and query_canceled: something that others hold is waited for in vain. */
export function isLate(error: unknown): boolean {
  const state = sqlState(error)
  return state === '55P03' || state === '57014'
}

/** division_by_zero: what our own mark gives where this connection was fenced off (batch.ts). */
export function isFenced(error: unknown): boolean {
  return sqlState(error) === '22012'
}
