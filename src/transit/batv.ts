/**
 * Bounce address tags (BATV, draft-levine-smtp-batv): what we send ourselves leaves under a reverse-path with a
 * tag that only we can make, so that a bounce of what we never sent is known by its address.
 *
 *     prvs=KDDDSSSSSS=local@domain     ; K: 0; DDD: the day it ends, modulo 1000; S: of an HMAC, in hex
 *
 * Pure; called by transit.ts.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Address, formatAddress } from '../mail/address.ts'

const TAGGED = /^prvs=0(\d{3})([0-9a-f]{6})=(.+)$/is
const DAY_MS = 24 * 3_600_000
const LOCAL_MAX_OCTETS = 64
const TAG_OCTETS = 16

export interface TagKeys {
  /** The first one signs, all are believed. */
  readonly secrets: readonly string[]
  readonly keepDays: number
}

/** False where a tag would not fit (RFC 5321 §4.5.3.1.1), or would be a second one. */
export function takesTag({ local }: Address): boolean {
  const room = LOCAL_MAX_OCTETS - TAG_OCTETS
  return /^[\x21-\x7e]+$/.test(local) && local.length <= room && !looksTagged(local)
}

export function looksTagged(local: string): boolean {
  return /^prvs=/i.test(local)
}

/** The sender with a tag that is good for so many days. */
export function tagged(
  sender: Address,
  { secrets: [secret = ''], keepDays }: TagKeys,
  nowMs: number,
): Address {
  const day = String((dayOf(nowMs) + keepDays) % 1000).padStart(3, '0')
  return { ...sender, local: `prvs=0${day}${tagOf(secret, day, sender)}=${sender.local}` }
}

/** Whom a tagged address means; undefined where the tag is not ours, or its days are over. */
export function untagged(address: Address, keys: TagKeys, nowMs: number): Address | undefined {
  const [, day = '', tag = '', local = ''] = TAGGED.exec(address.local) ?? []
  if (local === '') return undefined
  const sender = { ...address, local }
  const said = Buffer.from(tag.toLowerCase())
  let ours = false
  for (const secret of keys.secrets) {
    if (timingSafeEqual(Buffer.from(tagOf(secret, day, sender)), said)) ours = true
  }
  const left = (Number(day) - dayOf(nowMs) + 1000) % 1000
  // A node whose clock is a day ahead has signed for a day more.
  return ours && left <= keys.keepDays + 1 ? sender : undefined
}

function tagOf(secret: string, day: string, sender: Address): string {
  const text = `0${day}${formatAddress(sender).toLowerCase()}`
  return createHmac('sha1', secret).update(text).digest('hex').slice(0, 6)
}

function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS) % 1000
}
