/**
 * The deliver-by-time of a message (RFC 2852): how far it is, and what follows from it for notices.
 * Pure; asked by smtp/ (as client), queue/ and transport/.
 */
import type { DeliverBy, Notify, Recipient } from './envelope.ts'

/** by-time has nine digits (§4). */
const SECONDS_MAX = 999_999_999

/** Whether the time has come. */
export function deadlinePassed(deliverBy: DeliverBy, nowMs: number): boolean {
  return nowMs >= deliverBy.atMs
}

/** With R nothing may be tried any more once the time has come (§4.1.3). */
export function isTooLate(deliverBy: DeliverBy | undefined, nowMs: number): boolean {
  return deliverBy?.mode === 'R' && deadlinePassed(deliverBy, nowMs)
}

/** by-time as it is now: at least 1 where the time has not come, else 0 or below. */
export function remainingSeconds(deliverBy: DeliverBy, nowMs: number): number {
  const seconds = Math.ceil((deliverBy.atMs - nowMs) / 1000)
  return Math.min(Math.max(seconds, -SECONDS_MAX), SECONDS_MAX)
}

/** Whether anything at all is to be told of this recipient. */
function hears(notify: Notify | undefined): boolean {
  return notify !== 'NEVER'
}

/**
 * Whether the sender is told that a recipient was relayed, asked for or not: with T always (§4.1.4), with
 * N where the next hop does not keep the time and it has not come (§4.1.4.2).
 */
export function tellsRelay(
  deliverBy: DeliverBy | undefined,
  notify: Notify | undefined,
  kept: boolean,
  nowMs: number,
): boolean {
  if (deliverBy === undefined || !hears(notify)) return false
  return deliverBy.trace || (!kept && !deadlinePassed(deliverBy, nowMs))
}

/** §4.1.4.2: a hop that does not keep the time, but does DSN, is asked to tell of delays. */
export function askForDelays(recipient: Recipient): Recipient {
  const { notify } = recipient
  if (notify === 'NEVER' || notify?.includes('DELAY')) return recipient
  return { ...recipient, notify: [...(notify ?? ['FAILURE']), 'DELAY'] }
}
