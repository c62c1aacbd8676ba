/**
 * The one way into a mailbox. The queue's settle-writer calls `deliverInto` inside its transaction,
 * so that a message is in the mailbox exactly when its recipient is 'delivered'. README.md names
 * this file's statements in its table of UID and MODSEQ. It reads no clock and opens no transaction.
 */

import { wave } from '../store/wave.ts'
import type { Value, Write } from '../world/sql.ts'
import { someTexts, someValues } from './some.ts'
import { tallyOf } from './tally.ts'

/** One message for one mailbox. */
export interface Delivery {
  readonly accountId: number
  /** 'INBOX', ...; made on demand. */
  readonly mailboxName: string
  /** The ledger's id of the message. */
  readonly messageId: string
  readonly bodyId: number
  /** What stands before the body here: Return-Path, Delivered-To, Received ...; text is stored as UTF-8. */
  readonly head: Uint8Array | string
  /** Of head and body together, in octets. */
  readonly sizeOctets: number
  /** INTERNALDATE, ms since the epoch (RFC 9051 §2.3.3). */
  readonly internalDate: number
  /** As stored: sorted, with a space between ('' or '\\Flagged \\Seen'). */
  readonly flags: string
}

/** Where a message came to lie. */
export interface Delivered {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uid: number
  readonly modSeq: number
}

interface Grown {
  readonly id: number
  readonly uid_validity: number
  readonly uid_next: number
  readonly mod_seq: number
}

/**
 * Makes the mailbox if there is none, and takes ?3 UIDs and MODSEQs from it: one statement, so that
 * no number is ever given twice. UIDVALIDITY is the second of its making (RFC 9051 §2.3.1.1);
 * `:now - :now % 1000` is a whole number on every store, where a division might not be.
 */
const GROW = `INSERT INTO mailbox (account_id, name, uid_validity, uid_next, mod_seq, messages, unseen, doomed, size_octets)
VALUES (?1, ?2, (:now - :now % 1000) / 1000, 1 + ?3, 1 + ?3, ?3, ?4, ?5, ?6)
ON CONFLICT (account_id, name) DO UPDATE
SET uid_next = mailbox.uid_next + ?3, mod_seq = mailbox.mod_seq + ?3, messages = mailbox.messages + ?3,
  unseen = mailbox.unseen + ?4, doomed = mailbox.doomed + ?5, size_octets = mailbox.size_octets + ?6
RETURNING id, uid_validity, uid_next, mod_seq`

const INSERT = `INSERT INTO mailbox_message
(mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, flags, internal_date)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)`

/**
 * Delivers a batch inside the caller's transaction; one result for each item, in order. Mailboxes are
 * locked in key order, each by a single statement (mailboxes of a batch never deadlock with another's).
 */
export async function deliverInto(tx: Write, items: readonly Delivery[]): Promise<Delivered[]> {
  const delivered: Delivered[] = new Array(items.length)
  const rows: Value[][] = []
  const mailboxes = byMailbox(items)
  const growths = await wave(
    mailboxes.map(indexes => {
      const { accountId, mailboxName } = items[indexes[0] as number] as Delivery
      const { unseen, doomed, sizeOctets } = tallyOf(indexes.map(index => items[index] as Delivery))
      return tx.get<Grown>(GROW, accountId, mailboxName, indexes.length, unseen, doomed, sizeOctets)
    }),
  )
  for (const [at, indexes] of mailboxes.entries()) {
    const count = indexes.length
    const grown = growths[at]
    if (grown === undefined) throw new Error('an upsert returned no row')
    for (const [n, index] of indexes.entries()) {
      const item = items[index] as Delivery
      const uid = grown.uid_next - count + n
      const modSeq = grown.mod_seq - count + n + 1
      const { messageId, bodyId, sizeOctets, flags, internalDate } = item
      const head = typeof item.head === 'string' ? Buffer.from(item.head) : item.head
      rows.push([grown.id, uid, modSeq, messageId, bodyId, head, sizeOctets, flags, internalDate])
      delivered[index] = { mailboxId: grown.id, uidValidity: grown.uid_validity, uid, modSeq }
    }
  }
  await tx.many(INSERT, rows)
  return delivered
}

/** Copies that the mailbox gets: where they come from, and what it counts of them. */
export interface Copies {
  readonly accountId: number
  readonly mailboxName: string
  readonly fromMailboxId: number
  /** UIDs, ascending, and the messages of these that are there. Their copies stand in the same order. */
  readonly uids: readonly number[]
  readonly copied: readonly {
    readonly uid: number
    readonly sizeOctets: number
    /** As the copies have them, where those are others than the messages'. */
    readonly flags: string
    readonly ownFlags: string
  }[]
}

const COPY = someTexts(
  `INSERT INTO mailbox_message
(mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, flags, internal_date, saved_at)
SELECT ?1, ?2 + row_number() OVER (ORDER BY uid), ?3 + row_number() OVER (ORDER BY uid),
  message_id, body_id, head, size_octets, flags, internal_date, :now
FROM mailbox_message WHERE mailbox_id = ?4 AND uid {uids}`,
  5,
)
const FLAG = 'UPDATE mailbox_message SET flags = ?3 WHERE mailbox_id = ?1 AND uid = ?2'

/**
 * The same for copies of messages that are here: the store makes them by itself, since a client may name a hundred
 * thousand and everybody waits for the only writer. They came now (RFC 8514 §4.1). Gives the first of their UIDs.
 */
export async function copyInto(
  tx: Write,
  { accountId, mailboxName, fromMailboxId, uids, copied }: Copies,
): Promise<number> {
  const count = copied.length
  const { unseen, doomed, sizeOctets } = tallyOf(copied)
  const sums = [accountId, mailboxName, count, unseen, doomed, sizeOctets] as const
  const grown = await tx.get<Grown>(GROW, ...sums)
  if (grown === undefined) throw new Error('an upsert returned no row')
  const uid = grown.uid_next - count
  const [text, ...values] = someValues(COPY, uids)
  await tx.run(text, grown.id, uid - 1, grown.mod_seq - count, fromMailboxId, ...values)
  const others = copied.flatMap(({ flags, ownFlags }, n) =>
    flags === ownFlags ? [] : [[grown.id, uid + n, flags]],
  )
  if (others.length > 0) await tx.many(FLAG, others)
  return uid
}

/** Indexes of the items of each mailbox, mailboxes in key order, items as they came. */
function byMailbox(items: readonly Delivery[]): number[][] {
  const groups = new Map<string, number[]>()
  for (const [index, item] of items.entries()) {
    const key = `${item.accountId} ${item.mailboxName}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [index])
    else group.push(index)
  }
  return [...groups.values()].sort((a, b) => {
    const left = items[a[0] as number] as Delivery
    const right = items[b[0] as number] as Delivery
    if (left.accountId !== right.accountId) return left.accountId - right.accountId
    return left.mailboxName < right.mailboxName ? -1 : 1
  })
}
