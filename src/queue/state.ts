/**
 * The state of a recipient as people see it. The store has 'queued' for all that waits for its time; of
 * that, 'queued' was never tried, 'deferred' was, and of 'doubt' a host has had the whole message
 * without saying whether it took it. Conditions are literal, so that partial indexes can be used.
 */
import type { ShownState } from './query.ts'

export function shownState(row: {
  readonly state: string
  readonly status: string | null
  readonly doubts: number
}): ShownState {
  if (row.state !== 'queued') return row.state as ShownState
  if (row.doubts > 0) return 'doubt'
  return row.status === null ? 'queued' : 'deferred'
}

/** What of stored 'queued' each of the three is; r is the recipient. */
export const QUEUED_AS = {
  queued: 'r.status IS NULL AND r.doubts = 0',
  deferred: 'r.status IS NOT NULL AND r.doubts = 0',
  doubt: 'r.doubts > 0',
} as const

export function isQueuedKind(state: ShownState): state is keyof typeof QUEUED_AS {
  return Object.hasOwn(QUEUED_AS, state)
}

/** The shown state, as SQL. */
export const SHOWN_STATE = `CASE WHEN r.state <> 'queued' THEN r.state WHEN r.doubts > 0 THEN 'doubt'
  WHEN r.status IS NULL THEN 'queued' ELSE 'deferred' END`
