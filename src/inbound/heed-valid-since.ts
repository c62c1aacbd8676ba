/**
 * `Require-Recipient-Valid-Since: addr-spec; date-time` (RFC 7293 §3.2, §5.2): RRVS for a recipient whose RCPT
 * has none. Called by heed.ts; whether it holds is asked by reception.ts.
 */
import { addressKey } from '../account/address.ts'
import { isRoleAccount } from '../account/tenure.ts'
import type { Address } from '../mail/address.ts'
import type { Envelope, Recipient } from '../mail/envelope.ts'
import { parseAddressList } from '../message/address-list.ts'
import type { Field, Header } from '../message/header.ts'
import { parseDate } from '../wire/date.ts'
import type { Heeded } from './heed.ts'

export const VALID_SINCE = 'require-recipient-valid-since'

interface Demand {
  readonly field: Field
  /** Of the recipient whom it names (`addressKey`). */
  readonly key: string
  readonly atMs: number
}

/**
 * §5.2: fields that name a recipient count; those of recipients here do not leave with the message, and
 * where all recipients are here none does (step 4). For others the field stays, and RRVS goes beside it,
 * with C: nobody has said that the message should come back.
 */
export function heedValidSince(
  envelope: Envelope,
  header: Header,
  isHere: (address: Address) => boolean,
): Partial<Heeded> {
  const fields = header.all(VALID_SINCE)
  const demands = fields.flatMap(field => parse(field, header.text(field)) ?? [])
  const earliest = new Map<string, number>()
  for (const { key, atMs } of demands) {
    earliest.set(key, Math.min(atMs, earliest.get(key) ?? atMs))
  }
  const recipients = envelope.recipients.map(recipient => demanded(recipient, earliest))
  const here = recipients.filter(({ forwardPath }) => isHere(forwardPath))
  const keysHere = new Set(here.map(({ forwardPath }) => addressKey(forwardPath)))
  const omitted =
    here.length === recipients.length
      ? fields
      : demands.filter(({ key }) => keysHere.has(key)).map(({ field }) => field)
  const demanding = recipients.filter((each, at) => each !== envelope.recipients[at])
  return { envelope: { ...envelope, recipients }, omitted, demanding }
}

/** Of several times that are named for one recipient the earliest counts. */
function demanded(recipient: Recipient, earliest: ReadonlyMap<string, number>): Recipient {
  const { forwardPath, validSince } = recipient
  if (earliest.size === 0 || validSince !== undefined || isRoleAccount(forwardPath))
    return recipient
  const atMs = earliest.get(addressKey(forwardPath))
  return atMs === undefined ? recipient : { ...recipient, validSince: { atMs, action: 'C' } }
}

/** Undefined where it is malformed: it counts for nothing then (step 2). */
function parse(field: Field, text: string): Demand | undefined {
  const semicolon = text.lastIndexOf(';')
  const atMs = semicolon < 0 ? undefined : parseDate(text.slice(semicolon + 1))
  const { mailboxes, fault } = parseAddressList(text.slice(0, Math.max(semicolon, 0)), 2)
  const [only] = mailboxes
  if (atMs === undefined || fault !== undefined || !only || mailboxes.length > 1) return undefined
  return { field, key: addressKey(only.address), atMs }
}
