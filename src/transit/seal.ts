/**
 * The proof in an address that we made it, and when: an HMAC cut short, and a day in two letters, both in
 * the forms that Mail::SRS, libsrs2 and postsrsd share, so that an address is read by whichever of
 * them has the secret. Used by srs.ts; pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface Seal {
  /** The first one signs; all of them are believed, so that a secret can be changed. */
  readonly secrets: readonly string[]
  /** Characters of a hash. Longer ones are believed too, shorter ones never. */
  readonly hashLength: number
}

/** The hash of some parts, without regard to case: a local part may lose it on its way. */
function hashOf(secret: string, parts: readonly string[]): string {
  const hmac = createHmac('sha1', secret)
  for (const part of parts) hmac.update(part.toLowerCase())
  return hmac.digest('base64')
}

export function seal({ secrets: [secret = ''], hashLength }: Seal, ...parts: string[]): string {
  return hashOf(secret, parts).slice(0, hashLength)
}

/** Whether we made the hash. How long it takes tells nothing of how much of it was right. */
export function isSealed({ secrets, hashLength }: Seal, hash: string, ...parts: string[]): boolean {
  const said = Buffer.from(hash.toLowerCase())
  let found = false
  for (const secret of secrets) {
    const right = Buffer.from(hashOf(secret, parts).slice(0, hash.length).toLowerCase())
    if (right.length === said.length && timingSafeEqual(right, said)) found = true
  }
  return found && hash.length >= hashLength
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const DAY_MS = 24 * 3_600_000
/** Days before a stamp means another one. */
const DAYS = 1024

/** The day, in two letters. */
export function dayStamp(nowMs: number): string {
  const day = Math.floor(nowMs / DAY_MS) % DAYS
  return `${BASE32[day >> 5]}${BASE32[day & 31]}`
}

/** How many days ago it was stamped; undefined where it is no stamp. Tomorrow's is today's: clocks differ. */
export function daysSince(stamp: string, nowMs: number): number | undefined {
  if (!/^[a-z2-7]{2}$/i.test(stamp)) return undefined
  const [high, low] = [0, 1].map(at => BASE32.indexOf(stamp.charAt(at).toUpperCase())) as [
    number,
    number,
  ]
  const today = Math.floor(nowMs / DAY_MS) % DAYS
  const days = (today - high * 32 - low + DAYS) % DAYS
  return days === DAYS - 1 ? 0 : days
}
