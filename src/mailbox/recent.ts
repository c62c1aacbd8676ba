/**
 * Which messages no session was told of yet (RFC 3501 §2.3.2): those from a UID on, since messages come in the order
 * of their UIDs. The first session that may change the mailbox claims them when it is told, and for it
 * alone they are recent.
 */
import { reader, writer } from '../store/store.ts'

interface Claim {
  readonly mailboxId: number
  /** All below it are told. */
  readonly uidNext: number
}

/** The UID from which on messages were nobody's until now; undefined where another has claimed all of them. */
export const claimRecent = writer(
  'mailbox.claimRecent',
  async (tx, { mailboxId, uidNext }: Claim): Promise<number | undefined> => {
    // Locks the row, so that of two sessions the second sees what the first has claimed.
    await tx.run('UPDATE mailbox SET recent_from = recent_from WHERE id = ?1', mailboxId)
    const sql = 'SELECT recent_from AS "recentFrom" FROM mailbox WHERE id = ?1'
    const row = await tx.get<{ recentFrom: number }>(sql, mailboxId)
    if (row === undefined || row.recentFrom >= uidNext) return undefined
    await tx.run('UPDATE mailbox SET recent_from = ?2 WHERE id = ?1', mailboxId, uidNext)
    return row.recentFrom
  },
)

/** How many messages there are from a UID on. */
export const countFrom = reader(
  'mailbox.countFrom',
  async (tx, { mailboxId, uid }: { readonly mailboxId: number; readonly uid: number }) => {
    const sql = 'SELECT count(*) AS count FROM mailbox_message WHERE mailbox_id = ?1 AND uid >= ?2'
    const row = await tx.get<{ count: number }>(sql, mailboxId, uid)
    return row?.count ?? 0
  },
)
