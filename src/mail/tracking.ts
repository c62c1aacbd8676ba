/**
 * Message tracking (RFC 3885; its model is RFC 3888): what the ledger says of a message that its sender may ask about,
 * and how he proves that it is his. Used by transport/ (to settle) and access/ (to answer).
 */
import type { Sender } from './envelope.ts'

/** RFC 3886 §4: given to a hop that tracks it too, which may be asked next. */
export const TRANSFERRED_STATUS = '2.4.0'
/** RFC 3886 §4: given to a hop that does not; nothing more will be known. */
export const RELAYED_STATUS = '2.1.9'

/** Whether it may still be asked about: RFC 3885 §3, the sender says for how long. */
export function isTracked({ untilMs }: NonNullable<Sender['tracking']>, now: number): boolean {
  return untilMs === undefined || now < untilMs
}
