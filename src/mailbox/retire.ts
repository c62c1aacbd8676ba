/**
 * Removes the row of a mailbox that is empty. Its number, by which sessions and clients know it (MAILBOXID, RFC 8474
 * §4), is never given to another: SQLite would give that of the newest row again, so the newest row stays, of nobody
 * and without a name, until there is a newer one. Called where folders end; account/writer.ts has the like for all
 * of an account.
 */
import type { Write } from '../world/sql.ts'

const KEEP_NUMBER = `UPDATE mailbox SET account_id = 0, name = ?4 || CAST(id AS TEXT), former_name = NULL
WHERE id = ?1 AND messages = 0 AND substr(name, 1, ?3) = ?2 AND id = (SELECT max(id) FROM mailbox)`

/** As a folder that is being deleted (folder.ts), but for its former name. */
const NAMELESS = '\x7f'

const REMOVE = 'DELETE FROM mailbox WHERE id = ?1 AND messages = 0 AND substr(name, 1, ?3) = ?2'

const FORGET_NUMBERS = `DELETE FROM mailbox WHERE account_id = 0 AND id < (SELECT max(id) FROM mailbox)`

/** Whether it was there, empty, and by a name that begins so. */
export async function retire(tx: Write, mailboxId: number, prefix: string): Promise<boolean> {
  await tx.run(FORGET_NUMBERS)
  const { length } = prefix
  const gone =
    (await tx.run(KEEP_NUMBER, mailboxId, prefix, length, NAMELESS)) ||
    (await tx.run(REMOVE, mailboxId, prefix, length))
  if (gone === 0) return false
  await tx.run('DELETE FROM mailbox_vanished WHERE mailbox_id = ?1', mailboxId)
  return true
}
