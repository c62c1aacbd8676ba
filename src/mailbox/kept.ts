/**
 * Expunged messages, kept for a while so that an operator can bring them back. For each folder that has lost some
 * there is a mailbox that no client can name; a message moves into it by the transaction that expunges it, its
 * `saved_at` the time of that. So bodies, counts and checks hold for it as for any other; quota and clients do not see
 * it. Called by server/.
 */
import { farReader, reader, type Store, writer } from '../store/store.ts'
import { retire } from './retire.ts'
import { EXPUNGE_SLICE, expungeSlice, KEPT_NAME } from './writer.ts'

export interface KeptFolder {
  readonly mailboxId: number
  readonly accountId: number
  /** As the folder was called. */
  readonly folder: string
}

const FOLDERS = `SELECT id AS "mailboxId", account_id AS "accountId", substr(name, ?2) AS folder FROM mailbox
  WHERE substr(name, 1, ?2 - 1) = ?1`

/** The folders of an account of which something is kept. */
export const keptFolders = reader('mailbox.keptFolders', (tx, accountId: number) =>
  tx.all<KeptFolder>(
    `${FOLDERS} AND account_id = ?3 ORDER BY name`,
    KEPT_NAME,
    KEPT_NAME.length + 1,
    accountId,
  ),
)

/** Of all accounts, some behind a mailbox. */
export const allKeptFolders = farReader('mailbox.allKept', (tx, after: number) =>
  tx.all<KeptFolder>(
    `${FOLDERS} AND id > ?3 ORDER BY id LIMIT 1000`,
    KEPT_NAME,
    KEPT_NAME.length + 1,
    after,
  ),
)

export interface KeptMessage {
  readonly uid: number
  readonly removedAt: number
  readonly internalDate: number
  readonly sizeOctets: number
  readonly messageId: string
}

export interface KeptQuestion {
  readonly mailboxId: number
  /** Removed at this time or later, and before that one. */
  readonly since: number
  readonly before: number
  /** UIDs behind this one. */
  readonly after: number
  readonly limit: number
}

export const keptMessages = reader(
  'mailbox.kept',
  (tx, { mailboxId, since, before, after, limit }: KeptQuestion) =>
    tx.all<KeptMessage>(
      `SELECT uid, saved_at AS "removedAt", internal_date AS "internalDate", size_octets AS "sizeOctets",
         message_id AS "messageId"
       FROM mailbox_message WHERE mailbox_id = ?1 AND uid > ?4 AND saved_at >= ?2 AND saved_at < ?3
       ORDER BY uid LIMIT ?5`,
      mailboxId,
      since,
      before,
      after,
      limit,
    ),
)

/** Removes the mailbox of a folder of which nothing is kept any more. */
export const removeKeptFolder = writer('mailbox.removeKept', (tx, mailboxId: number) =>
  retire(tx, mailboxId, KEPT_NAME),
)

/** Lets go of what was removed before a time, slice by slice; names on Disk that are free by it are told. */
export async function releaseKept(
  store: Pick<Store, 'read' | 'write'>,
  before: number,
  released: (staged: readonly string[]) => void,
): Promise<void> {
  for (let after = 0; ; ) {
    const folders = await store.read(allKeptFolders, after)
    for (const { mailboxId } of folders) {
      const question = { mailboxId, since: 0, before, after: 0, limit: EXPUNGE_SLICE }
      for (;;) {
        const old = await store.read(keptMessages, question)
        if (old.length === 0) break
        const uids = old.map(({ uid }) => uid)
        const { staged } = await store.write(expungeSlice, { mailboxId, uids })
        if (staged.length > 0) released(staged)
      }
      await store.write(removeKeptFolder, mailboxId)
    }
    const last = folders.at(-1)
    if (last === undefined || folders.length < 1000) return
    after = last.mailboxId
  }
}
