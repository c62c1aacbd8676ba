/**
 * What a session reads of a mailbox to have its own view of it: how it is when it is opened, and what happened
 * since (RFC 7162). The mailbox's MODSEQ is read first: what commits meanwhile is told twice, never missed.
 */
import { either } from '../store/dialect.ts'
import { farReader, reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { DOOMED_NAME } from './folder.ts'
import { readSome, someTexts } from './some.ts'

export interface OpenedFolder {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uidNext: number
  readonly modSeq: number
  readonly keywords: string
  readonly messages: number
  /** Without \\Seen. */
  readonly unseen: number
  /** No session was told yet of the messages from this UID on (recent.ts). */
  readonly recentFrom: number
}

/** A folder by its name, as it is opened; undefined where there is none. Its messages are in its roll (roll.ts). */
export const openFolder = reader(
  'mailbox.openFolder',
  (tx, { accountId, name }: { readonly accountId: number; readonly name: string }) =>
    tx.get<OpenedFolder>(
      `SELECT id AS "mailboxId", uid_validity AS "uidValidity", uid_next AS "uidNext", mod_seq AS "modSeq", keywords,
         messages, unseen, recent_from AS "recentFrom" FROM mailbox WHERE account_id = ?1 AND name = ?2 AND substr(name, 1, 1) <> ?3`,
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
  /** All up to here is told, with what was told before. */
  readonly modSeq: number
  readonly uidNext: number
  /** As in `OpenedFolder`. */
  readonly recentFrom: number
  /** New messages, and those whose flags changed; by UID. */
  readonly present: readonly FolderState[]
  readonly vanished: readonly number[]
  /** What vanished that early is not known any more: whatever is not there may have (forget.ts). */
  readonly forgotten: boolean
  /** There is more of it: what is to be asked next is what happened since these numbers. */
  readonly more: boolean
}

interface Now {
  readonly name: string
  readonly mod_seq: number
  readonly uid_next: number
  readonly recent_from: number
  readonly vanished_floor: number
}

const NOW = `SELECT name, mod_seq, uid_next, recent_from, vanished_floor FROM mailbox
  WHERE id = ?1 AND substr(name, 1, 1) <> ?2`

/** So many messages at once take the main thread some milliseconds, until they are told. */
const CHANGES_SLICE = 1_000

const ARRIVED = `SELECT uid, flags, mod_seq AS "modSeq" FROM mailbox_message
  WHERE mailbox_id = ?1 AND uid >= ?2 ORDER BY uid LIMIT ${CHANGES_SLICE}`
/** The MODSEQ of the last one of a slice, where there are as many: all of one MODSEQ are told at once. */
const SLICE_END = `SELECT changed_mod_seq AS "modSeq" FROM mailbox_message WHERE mailbox_id = ?1 AND changed_mod_seq > ?2
  ORDER BY changed_mod_seq LIMIT 1 OFFSET ${CHANGES_SLICE - 1}`
const CHANGED = `SELECT uid, flags, mod_seq AS "modSeq" FROM mailbox_message
  WHERE mailbox_id = ?1 AND changed_mod_seq > ?2 AND changed_mod_seq <= ?4 AND uid < ?3 ORDER BY uid`
const VANISHED = either({
  sqlite: `SELECT group_concat(uid) AS uids FROM (SELECT uid FROM mailbox_vanished
    WHERE mailbox_id = ?1 AND mod_seq > ?2 AND mod_seq <= ?3 ORDER BY uid) AS gone`,
  postgresql: `SELECT string_agg(uid::text, ',' ORDER BY uid) AS uids FROM mailbox_vanished
    WHERE mailbox_id = ?1 AND mod_seq > ?2 AND mod_seq <= ?3`,
})

/**
 * What happened since a MODSEQ, for one who knows all below `uidNext`, a slice of it; undefined where the folder is
 * gone. All parts are found by their keys, however large the folder is. New messages come first: who has a MODSEQ
 * then knows all that came with a lower one.
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
    const nothing = {
      ...{ name: folder.name, recentFrom: folder.recent_from, forgotten: false },
      ...{ present: [], vanished: [], more: false },
    }
    if (folder.mod_seq === sinceModSeq) {
      return { ...nothing, modSeq: sinceModSeq, uidNext: Math.max(uidNext, folder.uid_next) }
    }
    const arrived =
      folder.uid_next > uidNext ? await tx.all<FolderState>(ARRIVED, mailboxId, uidNext) : []
    const next = Math.max(uidNext, (arrived.at(-1)?.uid ?? 0) + 1)
    if (arrived.length === CHANGES_SLICE) {
      return { ...nothing, modSeq: sinceModSeq, uidNext: next, present: arrived, more: true }
    }
    const end = await tx.get<{ modSeq: number }>(SLICE_END, mailboxId, sinceModSeq)
    const modSeq = end?.modSeq ?? folder.mod_seq
    const changed = await tx.all<FolderState>(CHANGED, mailboxId, sinceModSeq, uidNext, modSeq)
    const gone = await tx.get<{ uids: string | null }>(VANISHED, mailboxId, sinceModSeq, modSeq)
    return {
      ...nothing,
      modSeq,
      uidNext: Math.max(next, folder.uid_next),
      present: changed.concat(arrived),
      vanished: gone?.uids ? gone.uids.split(',').map(Number) : [],
      more: end !== undefined,
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
      recentFrom: folder.recent_from,
      forgotten: modSeq < folder.vanished_floor,
      present,
      vanished: vanished.map(({ uid }) => uid),
      more: false,
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

/** Its columns, of a table called m. */
export const MESSAGE = `m.uid, m.flags, m.mod_seq AS "modSeq", m.internal_date AS "internalDate", m.size_octets AS "sizeOctets",
  m.message_id AS "messageId", m.body_id AS "bodyId", coalesce(m.saved_at, m.internal_date) AS "savedAt"`

/** What a session knows of a message. */
export type FolderState = Pick<FolderMessage, 'uid' | 'flags' | 'modSeq'>

interface Some {
  readonly mailboxId: number
  readonly uids: readonly number[]
}

/** Those of the messages that are there, by UID; for a slice of some hundreds. */
export const folderMessages = reader('mailbox.messages', messagesOf)

/** The same, for a reader that has more to ask of them. */
export function messagesOf(tx: Read, { mailboxId, uids }: Some): Promise<FolderMessage[]> {
  return readSome(tx, MESSAGES, uids, mailboxId)
}

/** The same, of each only what costs least to read. */
export const folderStates = reader('mailbox.states', (tx, { mailboxId, uids }: Some) =>
  readSome<FolderState>(tx, STATES, uids, mailboxId),
)

const MESSAGES = someTexts(
  `SELECT ${MESSAGE} FROM mailbox_message m WHERE m.mailbox_id = ?1 AND m.uid {uids} ORDER BY m.uid`,
  2,
)
const STATES = someTexts(
  `SELECT uid, flags, mod_seq AS "modSeq" FROM mailbox_message
   WHERE mailbox_id = ?1 AND uid {uids} ORDER BY uid`,
  2,
)

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
