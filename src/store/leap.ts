/**
 * A database that came back from a backup, or from a standby that lacked the last commits, does not know what its
 * servers have given out since: a UID would stand for a second message (RFC 9051 §2.3.1.1), so that a client which keeps
 * mail on the server takes what is new for something it has (RFC 1939 §7), and a flag that is old again would be
 * passed over (RFC 7162 §3.1). So every mailbox goes on far above all that may have been given: no client loses what it
 * holds, and each learns anew what is set, and what is gone. Called by restore.ts and server/restore-data.ts, while no
 * server is at work; who is cut off in the midst leaps once more.
 */
import { type Store, writer } from './store.ts'

/** More than any mailbox is given between a backup and the next; 32 bits hold four thousand of these. */
const UIDS = 2 ** 20
const MOD_SEQS = 2 ** 24
const SLICE = 1_000

/** The next mailbox behind one; undefined where there is none. */
export const leapMailbox = writer('store.leapMailbox', async (tx, after: number) => {
  const next = await tx.get<{ id: number | null }>(
    'SELECT min(id) AS id FROM mailbox WHERE id > ?1',
    after,
  )
  const mailboxId = next?.id ?? undefined
  if (mailboxId === undefined) return undefined
  const row = await tx.get<{ mod_seq: number }>(
    `UPDATE mailbox SET uid_next = uid_next + ${UIDS}, mod_seq = mod_seq + ${MOD_SEQS},
       vanished_floor = mod_seq + ${MOD_SEQS} WHERE id = ?1 RETURNING mod_seq`,
    mailboxId,
  )
  // Of what vanished meanwhile nothing is known: whatever is not there may have.
  await tx.run('DELETE FROM mailbox_vanished WHERE mailbox_id = ?1', mailboxId)
  return { mailboxId, modSeq: row?.mod_seq ?? 0 }
})

/** The messages of a slice as changed just now; the last UID of it, or undefined behind the end. */
export const leapMessages = writer(
  'store.leapMessages',
  async (
    tx,
    input: { readonly mailboxId: number; readonly modSeq: number; readonly uid: number },
  ) => {
    const end = await tx.get<{ uid: number | null }>(
      `SELECT max(uid) AS uid FROM (SELECT uid FROM mailbox_message
         WHERE mailbox_id = ?1 AND uid > ?2 ORDER BY uid LIMIT ${SLICE}) AS slice`,
      input.mailboxId,
      input.uid,
    )
    const last = end?.uid ?? undefined
    if (last === undefined) return undefined
    await tx.run(
      `UPDATE mailbox_message SET mod_seq = ?3, changed_mod_seq = ?3
       WHERE mailbox_id = ?1 AND uid > ?2 AND uid <= ?4`,
      input.mailboxId,
      input.uid,
      input.modSeq,
      last,
    )
    return last
  },
)

/** All of them; how many mailboxes there are. */
export async function leap(store: Pick<Store, 'write'>): Promise<number> {
  let mailboxes = 0
  for (let at = await store.write(leapMailbox, 0); at !== undefined; mailboxes++) {
    const { mailboxId, modSeq } = at
    for (let uid: number | undefined = 0; uid !== undefined; ) {
      uid = await store.write(leapMessages, { mailboxId, modSeq, uid })
    }
    at = await store.write(leapMailbox, mailboxId)
  }
  return mailboxes
}
