/**
 * The delivery agent (MDA, RFC 5598 §4.3.3): decides what becomes of one local recipient. It writes
 * nothing: the mailbox row it answers is inserted by the transaction that settles the recipient,
 * so that a message is in the mailbox exactly when the queue says so.
 */
import type { Directory } from '../account/directory.ts'
import { type QuotaUsage, roomFor } from '../account/quota.ts'
import { type Address, formatAddress, formatPath } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import { ownJoined, ownText } from '../wire/own.ts'

/** What of a message its row in a mailbox tells. */
interface Item {
  readonly id: string
  readonly bodyKey: number
  readonly reversePath: Address | null
}

/** What of a load a delivery needs. */
export interface Parcel extends Item {
  readonly head: Uint8Array
  readonly sizeOctets: number
}

/** What of a message that is just being accepted; its head is text still. */
export interface NewParcel extends Item {
  readonly head: string
  readonly bodyOctets: number
}

export interface Delivered {
  readonly outcome: Outcome
  readonly delivery?: Delivery
}

/**
 * Resolves a recipient to a mailbox here. An address that has left since it was accepted fails 5.1.1; a full
 * mailbox is tried again until the message expires.
 */
export async function deliver(
  directory: Directory,
  usage: (accountId: number) => Promise<QuotaUsage>,
  parcel: Parcel,
  recipient: Address,
  now: number,
): Promise<Delivered> {
  const found = directory.cached(recipient) ?? (await directory.resolve(recipient))
  switch (found.kind) {
    case 'account': {
      const { account, limit } = found
      const head = ownJoined(ownText(traceOf(parcel, recipient)), parcel.head)
      const sizeOctets = parcel.sizeOctets - parcel.head.length + head.length
      const placed = place(parcel, account.id, { head, sizeOctets, now })
      if (limit === undefined) return placed
      const more = { octets: placed.delivery.sizeOctets, messages: 1 }
      const room = roomFor(limit, await usage(account.id), more)
      return room === 'room' ? placed : { outcome: noRoom[room] }
    }
    case 'disabled':
      return { outcome: { kind: 'deferred', status: '4.2.1', reason: 'the mailbox is disabled' } }
    case 'alias':
    case 'unknown':
    case 'foreign':
      return {
        outcome: { kind: 'failed', status: '5.1.1', reason: 'no such mailbox here any more' },
      }
  }
}

const noRoom = {
  full: { kind: 'deferred', status: '4.2.2', reason: 'the mailbox is full' },
  never: {
    kind: 'failed',
    status: '5.2.2',
    reason: 'the message is larger than the whole mailbox may be',
  },
} as const

/**
 * The same where the directory knows the mailbox by heart; undefined where it would have to ask.
 * @param judged whether RCPT and the end of the content found room for it: not so behind an alias
 */
export function deliverAtOnce(
  directory: Directory,
  parcel: NewParcel,
  recipient: Address,
  now: number,
  judged: boolean,
): (Delivered & { readonly delivery: Delivery }) | undefined {
  const found = directory.cached(recipient)
  if (found?.kind !== 'account' || (found.limit !== undefined && !judged)) return undefined
  const head = traceOf(parcel, recipient) + parcel.head
  const sizeOctets = parcel.bodyOctets + Buffer.byteLength(head)
  return place(parcel, found.account.id, { head, sizeOctets, now })
}

const toInbox: Outcome = {
  kind: 'delivered',
  how: 'mailbox',
  status: '2.0.0',
  reason: 'delivered to INBOX',
}

/** RFC 5321 §4.4: final delivery puts the reverse-path in front; Delivered-To stops loops. */
function traceOf({ reversePath }: Item, recipient: Address): string {
  return `Return-Path: ${formatPath(reversePath)}\r\nDelivered-To: ${formatAddress(recipient)}\r\n`
}

function place(
  { id: messageId, bodyKey: bodyId }: Item,
  accountId: number,
  facts: { readonly head: Uint8Array | string; readonly sizeOctets: number; readonly now: number },
): Delivered & { readonly delivery: Delivery } {
  const { head, sizeOctets, now: internalDate } = facts
  const where = { accountId, mailboxName: 'INBOX', messageId, bodyId }
  return {
    outcome: toInbox,
    delivery: { ...where, head, sizeOctets, internalDate, flags: '' },
  }
}
