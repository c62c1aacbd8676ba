/**
 * The delivery agent (MDA, RFC 5598 §4.3.3): decides what becomes of one local recipient. It writes
 * nothing: the mailbox row it answers is inserted by the transaction that settles the recipient,
 * so that a message is in the mailbox exactly when the queue says so.
 */
import type { Directory } from '../account/directory.ts'
import { type Address, formatAddress, formatPath } from '../mail/address.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import { ownJoined, ownText } from '../wire/own.ts'

/** What of a load a delivery needs. */
export interface Parcel {
  readonly id: string
  readonly bodyKey: number
  readonly head: Uint8Array
  readonly sizeOctets: number
  readonly reversePath: Address | null
}

export interface Delivered {
  readonly outcome: Outcome
  readonly delivery?: Delivery
}

/** Resolves a recipient to a mailbox here. An address that has left since it was accepted fails 5.1.1. */
export async function deliver(
  directory: Directory,
  parcel: Parcel,
  recipient: Address,
  now: number,
): Promise<Delivered> {
  const atOnce = deliverAtOnce(directory, parcel, recipient, now)
  if (atOnce) return atOnce
  const found = await directory.resolve(recipient)
  switch (found.kind) {
    case 'account':
      return place(parcel, recipient, found.account.id, now)
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

/** The same where the directory knows the mailbox by heart; undefined where it would have to ask. */
export function deliverAtOnce(
  directory: Directory,
  parcel: Parcel,
  recipient: Address,
  now: number,
): (Delivered & { readonly delivery: Delivery }) | undefined {
  const found = directory.cached(recipient)
  return found?.kind === 'account' ? place(parcel, recipient, found.account.id, now) : undefined
}

/** RFC 5321 §4.4: final delivery puts the reverse-path in front; Delivered-To stops loops. */
function place(
  parcel: Parcel,
  recipient: Address,
  accountId: number,
  now: number,
): Delivered & { readonly delivery: Delivery } {
  const trace = `Return-Path: ${formatPath(parcel.reversePath)}\r\nDelivered-To: ${formatAddress(recipient)}\r\n`
  const head = ownJoined(ownText(trace), parcel.head)
  return {
    outcome: { kind: 'delivered', how: 'mailbox', status: '2.0.0', reason: 'delivered to INBOX' },
    delivery: {
      accountId,
      mailboxName: 'INBOX',
      messageId: parcel.id,
      bodyId: parcel.bodyKey,
      head,
      sizeOctets: parcel.sizeOctets - parcel.head.length + head.length,
      internalDate: now,
      flags: '',
    },
  }
}
