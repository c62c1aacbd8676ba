/**
 * What a session reads of a mailbox to have its own view of it: how it is when it is opened, and what happened
 * since (RFC 7162). The mailbox's MODSEQ is read first: what commits meanwhile is told twice, never missed.
 */
import { farReader, reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { DOOMED_NAME } from './folder.ts'
import { withUids } from './tally.ts'

export interface OpenedFolder {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uidNext: number
  readonly modSeq: number
  readonly keywords: string
  readonly messages: number
  /** Without \\Seen. */
  readonly unseen: number
}

/** A folder by its name, as it is opened; undefined where there is none. Its messages are in its roll (roll.ts). */
export const openFolder = reader(
  'mailbox.openFolder',
  (tx, { accountId, name }: { readonly accountId: number; readonly name: string }) =>
    tx.get<OpenedFolder>(
      `SELECT id AS "mailboxId", uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq", keywords,
         messages, unseen FROM mailbox WHERE account_id = ?1 AND name = ?2 AND substr(name, 1, 1) <> ?3`,
      accountId,
      name,
      DOOMED_NAME,
    ),
)

/** The first message without \\Seen. */
export const firstUnseen = farReader('mailbox.firstUnseen', async (tx, mailboxId: number) => {
  const row = await tx.get<{ uid: number }>(
    `SELECT uid FROM mailbox_message WHERE mailbox_id = ?1 AND replace(flags, '\\Seen', '') = flags
     ORDER BY uid LIMIT 1`,
    mailboxId,
  )
  return row?.uid
})

export interface FolderChanges {
  readonly name: string
  readonly modSeq: number
  readonly uidNext: number
  /** New messages, and those whose flags changed; by UID. */
  readonly present: readonly {
    readonly uid: number
    readonly flags: string
    readonly modSeq: number
  }[]
  readonly vanished: readonly number[]
  /** What vanished that early is not known any more: whatever is not there may have (forget.ts). */
  readonly forgotten: boolean
}

interface Now {
  readonly name: string
  readonly mod_seq: number
  readonly uid_next: number
  readonly vanished_floor: number
}

const NOW = `SELECT name, mod_seq, uid_next, vanished_floor FROM mailbox
  WHERE id = ?1 AND substr(name, 1, 1) <> ?2`

/**
 * What happened since a MODSEQ, for one who knows all below `uidNext`; undefined where the folder is
 * gone. Both parts are found by their keys, however large the folder is.
 */
export const folderChanges = reader(
  'mailbox.changes',
  async (
    tx,
    input: { readonly mailboxId: number; readonly sinceModSeq: number; readonly uidNext: number },
  ): Promise<FolderChanges | undefined> => {
    const { mailboxId, sinceModSeq, uidNext } = input
    const folder = await tx.get<Now>(NOW, mailboxId, DOOMED_NAME)
    // Nobody is at work and heard of nothing for as long as what vanished is remembered.
    if (folder === undefined || sinceModSeq < folder.vanished_floor) return undefined
    const now = { name: folder.name, modSeq: folder.mod_seq, forgotten: false }
    if (folder.mod_seq === sinceModSeq) {
      return { ...now, uidNext: folder.uid_next, present: [], vanished: [] }
    }
    const present = await tx.all<FolderChanges['present'][number]>(
      `SELECT uid, flags, mod_seq AS "modSeq" FROM mailbox_message
         WHERE mailbox_id = ?1 AND changed_mod_seq > ?2 AND uid < ?3
       UNION ALL SELECT uid, flags, mod_seq FROM mailbox_message WHERE mailbox_id = ?1 AND uid >= ?3
       ORDER BY uid`,
      mailboxId,
      sinceModSeq,
      uidNext,
    )
    const vanished = await tx.all<{ uid: number }>(
      'SELECT uid FROM mailbox_vanished WHERE mailbox_id = ?1 AND mod_seq > ?2 ORDER BY uid',
      mailboxId,
      sinceModSeq,
    )
    return {
      ...now,
      uidNext: Math.max(folder.uid_next, (present.at(-1)?.uid ?? 0) + 1),
      present,
      vanished: vanished.map(({ uid }) => uid),
    }
  },
)

/**
 * All that happened after a MODSEQ, for one who was away: new messages too (RFC 7162 §3.1.4.1, §3.2.5). Messages
 * whose flags never changed came in the order of both their UID and MODSEQ, so that the last of them
 * that is old enough is found from the end, and none before it is looked at.
 */
export const folderSince = farReader(
  'mailbox.since',
  async (
    tx,
    { mailboxId, modSeq }: { readonly mailboxId: number; readonly modSeq: number },
  ): Promise<FolderChanges | undefined> => {
    const folder = await tx.get<Now>(NOW, mailboxId, DOOMED_NAME)
    if (folder === undefined) return undefined
    const present = await tx.all<FolderChanges['present'][number]>(
      `SELECT uid, flags, mod_seq AS "modSeq" FROM mailbox_message
         WHERE mailbox_id = ?1 AND changed_mod_seq > ?2
       UNION ALL SELECT uid, flags, mod_seq FROM mailbox_message
         WHERE mailbox_id = ?1 AND changed_mod_seq IS NULL AND mod_seq > ?2 AND uid > coalesce(
           (SELECT o.uid FROM mailbox_message o WHERE o.mailbox_id = ?1 AND o.changed_mod_seq IS NULL
              AND o.mod_seq <= ?2 ORDER BY o.uid DESC LIMIT 1), 0)
       ORDER BY uid`,
      mailboxId,
      modSeq,
    )
    const vanished = await tx.all<{ uid: number }>(
      'SELECT DISTINCT uid FROM mailbox_vanished WHERE mailbox_id = ?1 AND mod_seq > ?2 ORDER BY uid',
      mailboxId,
      modSeq,
    )
    return {
      name: folder.name,
      modSeq: folder.mod_seq,
      uidNext: folder.uid_next,
      forgotten: modSeq < folder.vanished_floor,
      present,
      vanished: vanished.map(({ uid }) => uid),
    }
  },
)

/** A message without its body. */
export interface FolderMessage {
  readonly uid: number
  readonly flags: string
  readonly modSeq: number
  readonly internalDate: number
  /** When it came into this mailbox. */
  readonly savedAt: number
  readonly sizeOctets: number
  readonly messageId: string
  readonly bodyId: number
}

const MESSAGE = `uid, flags, mod_seq AS "modSeq", internal_date AS "internalDate", size_octets AS "sizeOctets",
  message_id AS "messageId", body_id AS "bodyId", coalesce(saved_at, internal_date) AS "savedAt"`

/** What a session knows of a message. */
export type FolderState = Pick<FolderMessage, 'uid' | 'flags' | 'modSeq'>

interface Some {
  readonly mailboxId: number
  readonly uids: readonly number[]
}

/** Those of the messages that are there, by UID; for a slice of some hundreds. */
export const folderMessages = reader('mailbox.messages', messagesOf)

/** The same, for a reader that has more to ask of them. */
export function messagesOf(tx: Read, some: Some): Promise<FolderMessage[]> {
  return rowsOf(tx, MESSAGES, some)
}

/** The same, of each only what costs least to read. */
export const folderStates = reader(
  'mailbox.states',
  (tx, some: Some): Promise<FolderState[]> => rowsOf(tx, STATES, some),
)

const MESSAGES = statements(MESSAGE)
const STATES = statements('uid, flags, mod_seq AS "modSeq"')

function statements(columns: string) {
  const from = `SELECT ${columns} FROM mailbox_message WHERE mailbox_id = ?1`
  return {
    named: withUids(`${from} AND uid {uids} ORDER BY uid`, 2),
    between: `${from} AND uid BETWEEN ?2 AND ?3 ORDER BY uid`,
  }
}

async function rowsOf(
  tx: Read,
  { named, between }: ReturnType<typeof statements>,
  { mailboxId, uids }: Some,
): Promise<FolderMessage[]> {
  const [from, to] = [uids[0] ?? 0, uids.at(-1) ?? 0]
  // Neighbours, as nearly always, are read from one to the other and not one by one.
  if (to - from >= 2 * uids.length || to < from) {
    return tx.all<FolderMessage>(named, mailboxId, JSON.stringify(uids))
  }
  const rows = await tx.all<FolderMessage>(between, mailboxId, from, to)
  if (rows.length === to - from + 1 && rows.length === uids.length) return rows
  const wanted = new Set(uids)
  return rows.filter(({ uid }) => wanted.has(uid))
}

/** UIDs of messages with \Deleted behind a UID, a slice of them. */
export const doomedMessages = reader(
  'mailbox.doomed',
  async (
    tx,
    input: { readonly mailboxId: number; readonly after: number; readonly limit: number },
  ): Promise<number[]> => {
    const rows = await tx.all<{ uid: number }>(
      `SELECT uid FROM mailbox_message WHERE mailbox_id = ?1 AND uid > ?2 AND replace(flags, '\\Deleted', '') <> flags
       ORDER BY uid LIMIT ?3`,
      input.mailboxId,
      input.after,
      input.limit,
    )
    return rows.map(({ uid }) => uid)
  },
)

/** UIDs of a folder, whatever its name is by now. */
export const anyMessages = reader(
  'mailbox.any',
  async (
    tx,
    { mailboxId, limit }: { readonly mailboxId: number; readonly limit: number },
  ): Promise<number[]> => {
    const rows = await tx.all<{ uid: number }>(
      'SELECT uid FROM mailbox_message WHERE mailbox_id = ?1 ORDER BY uid LIMIT ?2',
      mailboxId,
      limit,
    )
    return rows.map(({ uid }) => uid)
  },
)
