/**
 * When a recipient would be tried that is deferred each time: the very schedule of schedule.ts, gone through without
 * waiting and without chance. Asked by `explain`. Pure.
 */
import { isTooLate } from '../mail/deliver-by.ts'
import { defer, type Lifetime, type Schedule } from './schedule.ts'

export interface Forecast {
  /** Times of the attempts, ms since the epoch; each of the later ones may be up to the jitter's share later. */
  readonly attempts: readonly number[]
  /** When the sender is told that it is late. */
  readonly warnings: readonly number[]
  /** When it is given up; undefined where that is beyond what was gone through. */
  readonly givenUpAt?: number
}

/** A schedule may be short and a lifetime long. */
const ATTEMPTS_MAX = 1_000

/** @param firstAt when the first attempt begins */
export function forecast(schedule: Schedule, facts: Lifetime & { firstAt: number }): Forecast {
  const attempts: number[] = []
  const warnings: number[] = []
  const certain = { ...schedule, jitter: 0 }
  let warnedAt: number | null = null
  for (let now = facts.firstAt; attempts.length < ATTEMPTS_MAX; ) {
    // What is too late goes nowhere (transport/worker.ts): it is looked at, and ends.
    if (!isTooLate(facts.deliverBy, now)) attempts.push(now)
    const made = Math.max(1, attempts.length)
    const next = defer(certain, { ...facts, now, attempts: made, warnedAt, phase: 0 })
    if (next.expired) return { attempts, warnings, givenUpAt: now }
    if (next.warn) {
      warnings.push(now)
      warnedAt = now
    }
    now = next.dueAt
  }
  return { attempts, warnings }
}
