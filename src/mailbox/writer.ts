/**
 * What changes a mailbox beside the queue's deliveries (deliver.ts): expunging, and letting go of
 * bodies. README.md names the statements in its table of UID and MODSEQ. Nothing here reads a
 * clock or touches a file: names on Disk are given back to the caller, to remove after the commit.
 */
import { writer } from '../store/store.ts'
import type { Value, Write } from '../world/sql.ts'
import { type Delivery, deliverInto } from './deliver.ts'
import { LOWER, lowering, tallyOf } from './tally.ts'

/** Delivers in a transaction of its own: for tests and tools; the queue uses `deliverInto`. */
export const deliver = writer('mailbox.deliver', async (tx, items: readonly Delivery[]) =>
  deliverInto(tx, items),
)

/** What begins the name of a mailbox for what a folder has lost: no client can say it. */
export const KEPT_NAME = '\x7fkept/'

/** At most so many messages in one transaction, so that accepts never wait long behind it. */
export const EXPUNGE_SLICE = 50

export interface ExpungeInput {
  readonly mailboxId: number
  /** At most EXPUNGE_SLICE. */
  readonly uids: readonly number[]
  /** They are kept for a while where no client sees them (kept.ts). */
  readonly keep?: boolean
}

export interface Expunged {
  /** Those that were there. */
  readonly uids: readonly number[]
  /** Names on Disk that nothing references any more: remove them after the commit. */
  readonly staged: readonly string[]
}

/** `(?from, ?from+1, ...)`: one text for every slice, whatever its length. */
const values = (from: number) =>
  `(${Array.from({ length: EXPUNGE_SLICE }, (_, n) => `?${from + n}`).join(', ')})`

const LOCK = 'UPDATE mailbox SET mod_seq = mod_seq WHERE id = ?1'
const DELETE_MESSAGES = `DELETE FROM mailbox_message WHERE mailbox_id = ?1 AND uid IN ${values(2)}
RETURNING uid, body_id, message_id, flags, size_octets AS "sizeOctets"`

const READ_WHOLE = `SELECT message_id AS "messageId", body_id AS "bodyId", head, size_octets AS "sizeOctets", flags,
  internal_date AS "internalDate" FROM mailbox_message WHERE mailbox_id = ?1 AND uid IN ${values(2)} ORDER BY uid`

/** Fills up with the last value, which changes nothing in an IN list. */
function padded<T extends Value>(items: readonly T[]): Value[] {
  const last = items.at(-1) as T
  return Array.from({ length: EXPUNGE_SLICE }, (_, n) => items[n] ?? last)
}

/** Removes messages for good (RFC 1939 §6, RFC 9051 §6.4.3); UIDs that are not there are no error. */
export const expungeSlice = writer(
  'mailbox.expungeSlice',
  async (tx, { mailboxId, uids, keep }: ExpungeInput): Promise<Expunged> => {
    if (uids.length === 0) return { uids: [], staged: [] }
    if (uids.length > EXPUNGE_SLICE) throw new Error('the slice is too long')
    // First the mailbox, which is the lock.
    await tx.run(LOCK, mailboxId)
    const kept = keep ? await tx.all<Kept>(READ_WHOLE, mailboxId, ...padded(uids)) : []
    const gone = await tx.all<Gone>(DELETE_MESSAGES, mailboxId, ...padded(uids))
    if (gone.length === 0) return { uids: [], staged: [] }
    await vanish(tx, mailboxId, gone)
    if (keep) {
      await keepAside(tx, mailboxId, kept)
      return { uids: gone.map(row => row.uid), staged: [] }
    }
    const released = gone.map(row => ({ bodyId: row.body_id, messageId: row.message_id }))
    return { uids: gone.map(row => row.uid), staged: await releaseBodies(tx, released) }
  },
)

/** A message whose row was removed. */
export interface Gone {
  readonly uid: number
  readonly body_id: number
  readonly message_id: string
  readonly flags: string
  readonly sizeOctets: number
}

interface Kept {
  readonly messageId: string
  readonly bodyId: number
  readonly head: Uint8Array
  readonly sizeOctets: number
  readonly flags: string
  readonly internalDate: number
}

/** Delivers them into the mailbox that no client sees, under the name their folder has or had. */
async function keepAside(tx: Write, mailboxId: number, rows: readonly Kept[]): Promise<void> {
  const folder = await tx.get<{ account_id: number; name: string }>(
    'SELECT account_id, coalesce(former_name, name) AS name FROM mailbox WHERE id = ?1',
    mailboxId,
  )
  if (folder === undefined) throw new Error(`no mailbox ${mailboxId}`)
  const place = { accountId: folder.account_id, mailboxName: KEPT_NAME + folder.name }
  const delivered = await deliverInto(
    tx,
    rows.map(row => ({ ...place, ...row })),
  )
  const [first, last] = [delivered[0], delivered.at(-1)]
  if (first && last) await tx.run(SAVED, first.mailboxId, first.uid, last.uid)
}

/** They lie side by side, and came now. */
export const SAVED =
  'UPDATE mailbox_message SET saved_at = :now WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3'

const VANISH =
  'INSERT INTO mailbox_vanished (mailbox_id, mod_seq, uid, at) VALUES (?1, ?2, ?3, :now)'

/** Counts removed messages down, and keeps their UIDs under a new MODSEQ (RFC 7162 §3.2.6, §3.2.10). */
export async function vanish(tx: Write, mailboxId: number, gone: readonly Gone[]): Promise<void> {
  const lowered = await tx.get<{ mod_seq: number }>(LOWER, ...lowering(mailboxId, tallyOf(gone)))
  if (lowered === undefined) throw new Error(`no mailbox ${mailboxId}`)
  await tx.many(
    VANISH,
    gone.map(({ uid }) => [mailboxId, lowered.mod_seq, uid]),
  )
}

const DELETE_BODIES = `DELETE FROM body WHERE id IN ${values(1)}
AND NOT EXISTS (SELECT 1 FROM mailbox_message WHERE mailbox_message.body_id = body.id)
AND NOT EXISTS (SELECT 1 FROM message
  WHERE message.id IN ${values(1 + EXPUNGE_SLICE)} AND message.body_id = body.id)
RETURNING staged`
const FORGET_READINGS = `DELETE FROM reading WHERE body_id IN ${values(1)}
AND NOT EXISTS (SELECT 1 FROM body WHERE body.id = reading.body_id)`

/**
 * Removes those bodies that neither a mailbox nor the queue references any more; the names it
 * returns are to be removed from Disk after the commit. A body is the queue's while the message of
 * `messageId` has it, so each body comes with the id of the message it came by.
 */
export async function releaseBodies(
  tx: Write,
  references: readonly { readonly bodyId: number; readonly messageId: string }[],
): Promise<string[]> {
  const staged: string[] = []
  for (let from = 0; from < references.length; from += EXPUNGE_SLICE) {
    const slice = references.slice(from, from + EXPUNGE_SLICE)
    const ids = padded(slice.map(reference => reference.bodyId))
    const rows = await tx.all<{ staged: string | null }>(
      DELETE_BODIES,
      ...ids,
      ...padded(slice.map(reference => reference.messageId)),
    )
    await tx.run(FORGET_READINGS, ...ids)
    for (const row of rows) if (row.staged !== null) staged.push(row.staged)
  }
  return staged
}
