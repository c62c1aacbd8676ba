/**
 * When a deferred recipient is tried again, warned about and given up (RFC 5321 §4.5.4.1).
 *
 * Pure: the worker gives the facts, `settle` stores the result.
 */
export interface Schedule {
  /** Delays before the second, third ... attempt, in ms; the last one repeats. */
  readonly retryMs: readonly number[]
  /** Age at which the sender is told of a delay; 0 never. */
  readonly delayWarningMs: number
  /** Age at which the recipient is given up. */
  readonly expireMs: number
  /** How much of a delay chance may add to it, 0 to 1. */
  readonly jitter: number
}

export interface Deferral {
  /** True when the age has reached `expireMs`: fail now, with a notice. */
  readonly expired: boolean
  /** True when the sender is to be told now, once. */
  readonly warn: boolean
  /** Time of the next attempt, ms since the epoch. */
  readonly dueAt: number
}

/**
 * @param attempts attempts made so far, the one just deferred included (at least 1)
 * @param spread a number in [0, 1): where between nothing and `jitter` a delay is lengthened, so that what failed together does not return together
 */
export function defer(
  schedule: Schedule,
  facts: { now: number; receivedAt: number; attempts: number; warned: boolean; spread: number },
): Deferral {
  const { now, receivedAt, attempts, warned } = facts
  const expireAt = receivedAt + schedule.expireMs
  const warnAt = receivedAt + schedule.delayWarningMs
  const warnable = schedule.delayWarningMs > 0 && !warned
  const delays = schedule.retryMs
  const delay = delays[Math.min(attempts, delays.length) - 1] ?? 60_000
  let dueAt = now + Math.round(delay * (1 + facts.spread * schedule.jitter))
  // The age is looked at after an attempt, so that the last word is never an old one. An attempt
  // falls due when the time is up; a warning waits for the attempt that is due anyway, since one of
  // its own would bend the schedule the operator wrote.
  if (expireAt > now) dueAt = Math.min(dueAt, expireAt)
  return { expired: now >= expireAt, warn: warnable && now >= warnAt, dueAt }
}
