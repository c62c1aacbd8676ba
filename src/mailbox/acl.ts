/**
 * Who else may use a mailbox, and how (RFC 4314): rows of an identifier and its rights. The owner has all of
 * them and is in no row. Which right a command wants is said by who calls: access/.
 */
import { farReader, reader, writer } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { DOOMED_NAME } from './folder.ts'

/** Everybody who is logged in. */
export const ANYONE = 'anyone'

export interface AclRow {
  readonly identifier: string
  readonly rights: string
}

/** Bounds of ours. */
const IDENTIFIERS_MAX = 200
const SHARED_MAX = 10_000

export interface SharedFolder {
  readonly mailboxId: number
  readonly ownerId: number
  readonly rights: string
}

/** A mailbox of another, by his address and its name, as one who is not he may use it; undefined where there is none. */
export const sharedFolder = reader(
  'mailbox.shared',
  async (
    tx,
    input: { readonly owner: string; readonly name: string; readonly viewer: string },
  ): Promise<SharedFolder | undefined> => {
    const found = await tx.get<{ mailboxId: number; ownerId: number }>(
      `SELECT b.id AS "mailboxId", a.id AS "ownerId" FROM account a JOIN mailbox b ON b.account_id = a.id
       WHERE a.address = ?1 AND b.name = ?2`,
      input.owner,
      input.name,
    )
    return found && { ...found, rights: await rightsAt(tx, found.mailboxId, input.viewer) }
  },
)

async function rightsAt(tx: Read, mailboxId: number, viewer: string): Promise<string> {
  const rows = await tx.all<{ rights: string }>(
    'SELECT rights FROM acl WHERE mailbox_id = ?1 AND identifier IN (?2, ?3)',
    mailboxId,
    viewer,
    ANYONE,
  )
  return Array.from(new Set(rows.map(({ rights }) => rights).join(''))).join('')
}

export interface ListedShare {
  readonly owner: string
  readonly name: string
  readonly rights: string
}

/** All mailboxes of others that one has rights at; of one with several rows each is told. */
export const sharedWith = farReader('mailbox.sharedWith', (tx, viewer: string) =>
  tx.all<ListedShare>(
    `SELECT a.address AS owner, b.name, c.rights FROM acl c
     JOIN mailbox b ON b.id = c.mailbox_id JOIN account a ON a.id = b.account_id
     WHERE c.identifier IN (?1, ?2) AND a.address <> ?1 AND substr(b.name, 1, 1) <> ?3
     ORDER BY a.address, b.name, c.rights LIMIT ${SHARED_MAX}`,
    viewer,
    ANYONE,
    DOOMED_NAME,
  ),
)

export const aclOf = reader('mailbox.acl', (tx, mailboxId: number) =>
  tx.all<AclRow>(
    'SELECT identifier, rights FROM acl WHERE mailbox_id = ?1 ORDER BY identifier',
    mailboxId,
  ),
)

/** Gives these rights and no others; '' takes the row away. 'nobody': there is no such account. */
export const setRights = writer(
  'mailbox.setRights',
  async (
    tx,
    input: AclRow & { readonly mailboxId: number },
  ): Promise<'done' | 'nobody' | 'too many'> => {
    const { mailboxId, identifier, rights } = input
    await tx.run('UPDATE mailbox SET mod_seq = mod_seq WHERE id = ?1', mailboxId)
    await tx.run('DELETE FROM acl WHERE mailbox_id = ?1 AND identifier = ?2', mailboxId, identifier)
    if (rights === '') return 'done'
    const known =
      identifier === ANYONE ||
      (await tx.get('SELECT 1 AS there FROM account WHERE address = ?1', identifier)) !== undefined
    if (!known) return 'nobody'
    const count = await tx.get<{ count: number }>(
      'SELECT count(*) AS count FROM acl WHERE mailbox_id = ?1',
      mailboxId,
    )
    if ((count?.count ?? 0) >= IDENTIFIERS_MAX) return 'too many'
    await tx.run(
      'INSERT INTO acl (mailbox_id, identifier, rights) VALUES (?1, ?2, ?3)',
      mailboxId,
      identifier,
      rights,
    )
    return 'done'
  },
)

/** A folder that is made below another has its rights (RFC 4314 §4 leaves it to us): its children look like it. */
export const inheritRights = writer(
  'mailbox.inheritRights',
  (tx, { from, to }: { readonly from: number; readonly to: number }) =>
    tx.run(
      `INSERT INTO acl (mailbox_id, identifier, rights)
       SELECT CAST(?2 AS BIGINT), identifier, rights FROM acl WHERE mailbox_id = ?1
       ON CONFLICT (mailbox_id, identifier) DO NOTHING`,
      from,
      to,
    ),
)
