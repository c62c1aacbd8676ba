/**
 * When a deferred recipient is tried again, warned about and given up (RFC 5321 §4.5.4.1), also by the
 * time that its sender has set (RFC 2852).
 *
 * Pure: the worker gives the facts, `settle` stores the result.
 */
import { deadlinePassed, isTooLate } from '../mail/deliver-by.ts'
import type { DeliverBy, Sender } from '../mail/envelope.ts'

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
  /** True when the age has reached `expireMs`, or its time has come: fail now, with a notice. */
  readonly expired: boolean
  /** Set when the sender is to be told now, once for each: of the delay, or that its time has come. */
  readonly warn: false | 'delay' | 'time'
  /** Time of the next attempt, ms since the epoch. */
  readonly dueAt: number
}

/** What of a message decides when it ends. */
export interface Lifetime {
  readonly receivedAt: number
  readonly deliverBy?: DeliverBy | undefined
}

/** From when a message's age is counted: what its sender holds back does not grow old (RFC 4865). */
export function agesFrom(receivedAt: number, { release }: Pick<Sender, 'release'>): number {
  return Math.max(receivedAt, release?.atMs ?? 0)
}

/** When nothing will be tried any more: by age, or by the sender's own time with R. */
export function endsAt(expireMs: number, { receivedAt, deliverBy }: Lifetime): number {
  const byAge = receivedAt + expireMs
  return deliverBy?.mode === 'R' ? Math.min(byAge, deliverBy.atMs) : byAge
}

/**
 * When a recipient that waits in a lane (lane.ts) must be looked at all the same: its sender is to be told, or
 * it ends. Never later than a day from now, should the lane be lost; what is overdue, at once.
 */
export function wordAt(
  schedule: Schedule,
  { receivedAt, deliverBy }: Lifetime,
  warnedAt: number | null,
  now: number,
): number {
  const times = [receivedAt + schedule.expireMs, now + LANE_MAX_MS]
  if (schedule.delayWarningMs > 0 && warnedAt === null) {
    times.push(receivedAt + schedule.delayWarningMs)
  }
  // Once its time was told of, only its end is left.
  const told = deliverBy !== undefined && warnedAt !== null && warnedAt >= deliverBy.atMs
  if (deliverBy !== undefined && !told) times.push(deliverBy.atMs)
  return Math.min(...times)
}

const LANE_MAX_MS = 86_400_000

/**
 * @param attempts attempts made so far, the one just deferred included (at least 1)
 * @param warnedAt when the sender was told of a delay last, if he was
 * @param phase a number in [0, 1) that is the message's own: a delay is lengthened up to its next tick
 */
export function defer(
  schedule: Schedule,
  facts: Lifetime & { now: number; attempts: number; warnedAt: number | null; phase: number },
): Deferral {
  const { now, receivedAt, attempts, warnedAt, deliverBy } = facts
  const expireAt = receivedAt + schedule.expireMs
  const warnAt = receivedAt + schedule.delayWarningMs
  const warnable = schedule.delayWarningMs > 0 && warnedAt === null
  const delays = schedule.retryMs
  const delay = delays[Math.min(attempts, delays.length) - 1] ?? 60_000
  let dueAt = nextTick(now + delay, delay * schedule.jitter, facts.phase)
  // The age is looked at after an attempt, so that the last word is never an old one. An attempt
  // falls due when the time is up; a warning waits for the attempt that is due anyway, since one of
  // its own would bend the schedule the operator wrote.
  if (expireAt > now) dueAt = Math.min(dueAt, expireAt)
  if (deliverBy === undefined) {
    return { expired: now >= expireAt, warn: warnable && now >= warnAt && 'delay', dueAt }
  }
  // RFC 2852 §4.1.3: at its time it is looked at, whatever the schedule says: to end it, or to tell.
  const come = deadlinePassed(deliverBy, now)
  const told = warnedAt !== null && warnedAt >= deliverBy.atMs
  return {
    expired: now >= expireAt || isTooLate(deliverBy, now),
    warn: come && !told ? 'time' : warnable && now >= warnAt && 'delay',
    dueAt: come ? dueAt : Math.min(dueAt, deliverBy.atMs),
  }
}

/**
 * Messages that failed together do not return together, since each has ticks of its own; but the recipients of one
 * message do, where their attempts ended within a step, so that its sender is told of all of them at once.
 */
function nextTick(from: number, stepMs: number, phase: number): number {
  if (stepMs < 1) return Math.round(from)
  const offset = phase * stepMs
  return Math.round(Math.ceil((from - offset) / stepMs) * stepMs + offset)
}
