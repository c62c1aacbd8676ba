/**
 * The mailboxes of an account as folders (RFC 9051 §6.3): made, renamed, deleted, subscribed to, listed. A deleted
 * folder loses its name at once and its messages slice by slice (access/imap-expunge.ts). Called by access/.
 */
import { farReader, reader, writer } from '../store/store.ts'
import type { Read, Write } from '../world/sql.ts'
import { retire } from './retire.ts'

/** A folder that is being deleted has a name that nobody can give: DEL, then its key. */
export const DOOMED_NAME = '\x7f'
const DELIMITER = '/'

export interface Folder {
  readonly mailboxId: number
  readonly name: string
  /** `\Sent` (RFC 6154); '' for most. */
  readonly specialUse: string
}

export interface FolderName {
  readonly accountId: number
  readonly name: string
}

/** So many at once take the main thread some milliseconds. */
export const FOLDERS_SLICE = 1_000

/** Folders of an account whose names are behind one, '' being before all; a slice of them. */
export interface FoldersBehind {
  readonly accountId: number
  readonly after: string
}

const SLICE = `FROM mailbox WHERE account_id = ?1 AND name > ?2 AND substr(name, 1, 1) <> ?3
  ORDER BY name LIMIT ${FOLDERS_SLICE}`

/** The folders of an account, by name. */
export const foldersOf = reader('mailbox.folders', (tx, { accountId, after }: FoldersBehind) =>
  tx.all<Folder>(
    `SELECT id AS "mailboxId", name, special_use AS "specialUse" ${SLICE}`,
    accountId,
    after,
    DOOMED_NAME,
  ),
)

/** Names that an account is subscribed to, whether they exist or not. */
export const subscriptionsOf = reader('mailbox.subscriptions', async (tx, accountId: number) => {
  const rows = await tx.all<{ name: string }>(
    'SELECT name FROM subscription WHERE account_id = ?1 ORDER BY name',
    accountId,
  )
  return rows.map(({ name }) => name)
})

/** The numbers STATUS tells (RFC 9051 §6.3.11). */
export interface FolderStatus {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uidNext: number
  readonly modSeq: number
  readonly messages: number
  readonly unseen: number
  readonly doomed: number
  readonly sizeOctets: number
  readonly recentFrom: number
}

/** Octets of messages with \\Deleted (RFC 9208 §4.1.4): counted when asked for, where there are any. */
export const doomedOctets = farReader('mailbox.doomedOctets', async (tx, mailboxId: number) => {
  const row = await tx.get<{ octets: number }>(
    `SELECT CAST(coalesce(sum(size_octets), 0) AS BIGINT) AS octets FROM mailbox_message
     WHERE mailbox_id = ?1 AND replace(flags, '\\Deleted', '') <> flags`,
    mailboxId,
  )
  return row?.octets ?? 0
})

export const folderStatus = reader('mailbox.status', (tx, { accountId, name }: FolderName) =>
  tx.get<FolderStatus>(
    `SELECT id AS "mailboxId", uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq",
       messages, unseen, doomed, size_octets AS "sizeOctets", recent_from AS "recentFrom"
     FROM mailbox WHERE account_id = ?1 AND name = ?2`,
    accountId,
    name,
  ),
)

export interface FolderNumbers {
  readonly mailboxId: number
  readonly name: string
  readonly messages: number
  readonly unseen: number
  readonly uidNext: number
  readonly uidValidity: number
  readonly modSeq: number
}

/** The numbers of the folders of an account, by name. */
export const folderNumbers = reader('mailbox.numbers', (tx, { accountId, after }: FoldersBehind) =>
  tx.all<FolderNumbers>(
    `SELECT id AS "mailboxId", name, messages, unseen, uid_next AS "uidNext", uid_validity AS "uidValidity",
       mod_seq AS "modSeq" ${SLICE}`,
    accountId,
    after,
    DOOMED_NAME,
  ),
)

const MAKE = `INSERT INTO mailbox (account_id, name, uid_validity, uid_next, mod_seq, special_use)
VALUES (?1, ?2, (:now - :now % 1000) / 1000 + ?4, 1, 1, ?3) ON CONFLICT (account_id, name) DO NOTHING`

/**
 * Makes what an account should have from its first day, once: INBOX in any case, the others only if this
 * was never done for it.
 */
export const furnish = writer(
  'mailbox.furnish',
  async (
    tx,
    input: {
      readonly accountId: number
      readonly folders: readonly { readonly name: string; readonly specialUse: string }[]
    },
  ): Promise<null> => {
    const { accountId, folders } = input
    await tx.run(MAKE, accountId, 'INBOX', '', 0)
    const first = await tx.run(
      'UPDATE account SET furnished = 1 WHERE id = ?1 AND furnished = 0',
      accountId,
    )
    if (first === 0) return null
    // Who mirrors or shows what is subscribed (mbsync, OfflineIMAP, LSUB) wants INBOX above all.
    await tx.run(SUBSCRIBE, accountId, 'INBOX')
    for (const { name, specialUse } of folders) {
      await tx.run(MAKE, accountId, name, specialUse, 0)
      await tx.run(SUBSCRIBE, accountId, name)
    }
    return null
  },
)

/** Whether `furnish` has anything to do: asked first, since it is asked at every login. */
export const isFurnished = reader('mailbox.isFurnished', async (tx, accountId: number) => {
  const row = await tx.get<{ furnished: number }>(
    `SELECT a.furnished FROM account a JOIN mailbox b ON b.account_id = a.id AND b.name = 'INBOX'
     WHERE a.id = ?1`,
    accountId,
  )
  return row?.furnished === 1
})

export type FolderChanged = 'done' | 'exists' | 'missing' | 'special use taken' | 'too many'

/** A bound of ours: a listing reads them all. */
const FOLDERS_MAX = 10_000

/**
 * Makes a folder, and those above it that are not there (RFC 9051 §6.3.4). One that had this name before and
 * was deleted had an older UIDVALIDITY: the new one is never the same (§2.3.1.1).
 */
export const createFolder = writer(
  'mailbox.create',
  async (
    tx,
    { accountId, name, specialUse }: FolderName & { readonly specialUse: string },
  ): Promise<FolderChanged> => {
    const count = await tx.get<{ count: number }>(
      'SELECT count(*) AS count FROM mailbox WHERE account_id = ?1',
      accountId,
    )
    if ((count?.count ?? 0) >= FOLDERS_MAX) return 'too many'
    if (specialUse !== '') {
      const taken = await tx.get(
        'SELECT 1 AS taken FROM mailbox WHERE account_id = ?1 AND special_use = ?2 LIMIT 1',
        accountId,
        specialUse,
      )
      if (taken !== undefined) return 'special use taken'
    }
    const ahead = await freshSecond(tx, accountId)
    await makeAbove(tx, accountId, name, ahead)
    const made = await tx.run(MAKE, accountId, name, specialUse, ahead)
    return made === 0 ? 'exists' : 'done'
  },
)

/** `a` and `a/b` for `a/b/c`, where they are not there. */
async function makeAbove(tx: Write, accountId: number, name: string, ahead: number): Promise<void> {
  const levels = name.split(DELIMITER)
  for (let depth = 1; depth < levels.length; depth++) {
    await tx.run(MAKE, accountId, levels.slice(0, depth).join(DELIMITER), '', ahead)
  }
}

/** By how many seconds a new UIDVALIDITY must lie ahead, so that none of the account's is ever used again. */
async function freshSecond(tx: Read, accountId: number): Promise<number> {
  const row = await tx.get<{ ahead: number | null }>(
    `SELECT max(used) - (:now - :now % 1000) / 1000 AS ahead FROM (
       SELECT max(uid_validity) AS used FROM mailbox WHERE account_id = ?1
       UNION ALL SELECT uid_validity_floor FROM account WHERE id = ?1) AS ever`,
    accountId,
  )
  return Math.max(0, (row?.ahead ?? -1) + 1)
}

/**
 * Takes the name of a folder away; its messages follow slice by slice. Folders below it stay.
 */
export const deleteFolder = writer(
  'mailbox.delete',
  async (tx, { accountId, name }: FolderName): Promise<{ readonly mailboxId?: number }> => {
    await tx.run(
      `UPDATE account SET uid_validity_floor = (SELECT max(uid_validity) FROM mailbox WHERE account_id = ?1)
       WHERE id = ?1 AND uid_validity_floor < (SELECT max(uid_validity) FROM mailbox WHERE account_id = ?1)`,
      accountId,
    )
    const row = await tx.get<{ id: number }>(
      `UPDATE mailbox SET name = ?3 || CAST(id AS TEXT), former_name = name, special_use = '',
         mod_seq = mod_seq + 1
       WHERE account_id = ?1 AND name = ?2 RETURNING id`,
      accountId,
      name,
      DOOMED_NAME,
    )
    return row === undefined ? {} : { mailboxId: row.id }
  },
)

/**
 * Gives a folder and all below it another name (RFC 9051 §6.3.6). INBOX passes its messages on to the new
 * name and is there again, empty; what is below INBOX stays.
 */
export const renameFolder = writer(
  'mailbox.rename',
  async (
    tx,
    { accountId, name, to }: FolderName & { readonly to: string },
  ): Promise<FolderChanged> => {
    const named = await tx.get(
      'SELECT 1 AS there FROM mailbox WHERE account_id = ?1 AND name = ?2',
      accountId,
      to,
    )
    if (named !== undefined) return 'exists'
    // What is below must find its new name free too: mailboxes may stand below a name that is none.
    const taken =
      name === 'INBOX'
        ? undefined
        : await tx.get(
            `SELECT 1 AS there FROM mailbox a JOIN mailbox b
               ON b.account_id = a.account_id AND b.name = ?3 || substr(a.name, ?4)
             WHERE a.account_id = ?1 AND substr(a.name, 1, ?4) = ?2 LIMIT 1`,
            accountId,
            name + DELIMITER,
            to,
            Array.from(name).length + 1,
          )
    if (taken !== undefined) return 'exists'
    const moved = await rename(tx, accountId, name, to)
    const below = name === 'INBOX' ? [] : await namesBelow(tx, accountId, name)
    // A level that is no mailbox has a name for those below it.
    if (moved === 0 && below.length === 0) return 'missing'
    const ahead = await freshSecond(tx, accountId)
    await makeAbove(tx, accountId, to, ahead)
    if (name === 'INBOX') {
      await tx.run(MAKE, accountId, 'INBOX', '', ahead)
      await tx.run(NOTED_AT_BOTH, accountId, to)
      return 'done'
    }
    for (const each of below) await rename(tx, accountId, each, to + each.slice(name.length))
    return 'done'
  },
)

/** RFC 5464 §4.1: what is noted at INBOX is noted at the new name and at INBOX. */
const NOTED_AT_BOTH = `INSERT INTO annotation (mailbox_id, account_id, entry, value)
  SELECT fresh.id, n.account_id, n.entry, n.value FROM mailbox old
  JOIN annotation n ON n.mailbox_id = old.id
  JOIN mailbox fresh ON fresh.account_id = old.account_id AND fresh.name = 'INBOX'
  WHERE old.account_id = ?1 AND old.name = ?2`

async function namesBelow(tx: Read, accountId: number, name: string): Promise<string[]> {
  const rows = await tx.all<{ name: string }>(
    `SELECT name FROM mailbox WHERE account_id = ?1 AND substr(name, 1, ?3) = ?2`,
    accountId,
    name + DELIMITER,
    // SQL counts characters, not UTF-16 units.
    Array.from(name).length + 1,
  )
  return rows.map(row => row.name)
}

function rename(tx: Write, accountId: number, from: string, to: string): Promise<number> {
  return tx.run(
    'UPDATE mailbox SET name = ?3 WHERE account_id = ?1 AND name = ?2',
    accountId,
    from,
    to,
  )
}

const SUBSCRIBE =
  'INSERT INTO subscription (account_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING'

/** A bound of ours, well above that of folders: names need not exist, and a listing reads them all. */
const SUBSCRIPTIONS_MAX = 20_000

export const subscribe = writer(
  'mailbox.subscribe',
  async (
    tx,
    { accountId, name, on }: FolderName & { readonly on: boolean },
  ): Promise<'done' | 'too many'> => {
    if (!on) {
      await tx.run('DELETE FROM subscription WHERE account_id = ?1 AND name = ?2', accountId, name)
      return 'done'
    }
    const held = await tx.get<{ count: number }>(
      'SELECT count(*) AS count FROM subscription WHERE account_id = ?1 AND name <> ?2',
      accountId,
      name,
    )
    if ((held?.count ?? 0) >= SUBSCRIPTIONS_MAX) return 'too many'
    await tx.run(SUBSCRIBE, accountId, name)
    return 'done'
  },
)

/** Folders whose name is gone and whose messages may still be there, of all accounts. */
export const doomedFolders = reader('mailbox.doomedFolders', async (tx, _: null) => {
  const rows = await tx.all<{ id: number }>(
    'SELECT id FROM mailbox WHERE substr(name, 1, 1) = ?1 AND former_name IS NOT NULL ORDER BY id LIMIT 100',
    DOOMED_NAME,
  )
  return rows.map(({ id }) => id)
})

/** Removes the row of a deleted folder that is empty by now, and what was remembered of it. */
export const removeDoomedFolder = writer('mailbox.removeDoomed', async (tx, mailboxId: number) => {
  const gone = await retire(tx, mailboxId, DOOMED_NAME)
  if (gone) {
    await tx.run('DELETE FROM annotation WHERE mailbox_id = ?1', mailboxId)
    await tx.run('DELETE FROM acl WHERE mailbox_id = ?1', mailboxId)
    await tx.run('DELETE FROM url_key WHERE mailbox_id = ?1', mailboxId)
  }
  return gone
})
