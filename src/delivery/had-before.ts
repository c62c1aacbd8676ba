/**
 * Who has had a message before: each final delivery of ours, and each alias that sends on elsewhere, says so in a
 * `Delivered-To:` (RFC 9228). Asked by inbound/loop.ts at the end of the content, and by transport/unlooped.ts.
 */
import { addressKey } from '../account/address.ts'
import { parseStoredAddress } from '../mail/address.ts'
import type { Header } from '../message/header.ts'

/** More such fields than this are not looked at. */
const FIELDS_MAX = 200

/** The keys (account/address.ts) of all addresses that have had it. */
export function hadBefore(header: Header): ReadonlySet<string> {
  if (!header.has('delivered-to')) return NOBODY
  const fields = header.all('delivered-to').slice(0, FIELDS_MAX)
  return new Set(fields.map(field => addressKey(parseStoredAddress(header.text(field).trim()))))
}

const NOBODY: ReadonlySet<string> = new Set()

/** RFC 5321 §6.3: what is said of mail that comes round again. */
export const LOOP = 'the message has been here before, it is in a loop'
