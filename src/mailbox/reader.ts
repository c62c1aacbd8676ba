/**
 * What reads a mailbox: the list of its messages, one message by UID, octets of a body by range.
 * Called by access/ and by the queue's transports (for bodies). A read never outlives one answer.
 */
import { farReader, reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { type FolderMessage, MESSAGE } from './change.ts'
import { readSome, someTexts } from './some.ts'

export interface MailboxName {
  readonly accountId: number
  readonly name: string
}

/** A mailbox and its messages in UID order, as parallel arrays: a mailbox may hold 100,000s. */
export interface MailboxListing {
  readonly mailboxId: number
  readonly uidValidity: number
  readonly uidNext: number
  readonly modSeq: number
  readonly uids: Uint32Array
  readonly sizes: Float64Array
}

interface MailboxRow {
  readonly id: number
  readonly uid_validity: number
  readonly uid_next: number
  readonly mod_seq: number
}

const LIST_SLICE = 4_096

/** Lists a mailbox by name; undefined where there is none, as before the first delivery. */
export const openMailbox = farReader(
  'mailbox.open',
  async (tx, { accountId, name }: MailboxName): Promise<MailboxListing | undefined> => {
    const mailbox = await tx.get<MailboxRow>(
      `SELECT id, uid_validity, uid_next, mod_seq FROM mailbox WHERE account_id = ?1 AND name = ?2`,
      accountId,
      name,
    )
    if (mailbox === undefined) return undefined
    const uids: number[] = []
    const sizes: number[] = []
    for (;;) {
      const rows = await tx.all<{ uid: number; size_octets: number }>(
        `SELECT uid, size_octets FROM mailbox_message
WHERE mailbox_id = ?1 AND uid > ?2 ORDER BY uid LIMIT ?3`,
        mailbox.id,
        uids.at(-1) ?? 0,
        LIST_SLICE,
      )
      for (const row of rows) {
        uids.push(row.uid)
        sizes.push(row.size_octets)
      }
      if (rows.length < LIST_SLICE) break
    }
    return {
      mailboxId: mailbox.id,
      uidValidity: mailbox.uid_validity,
      uidNext: mailbox.uid_next,
      modSeq: mailbox.mod_seq,
      uids: Uint32Array.from(uids),
      sizes: Float64Array.from(sizes),
    }
  },
)

/** Where a body's octets are. */
export interface BodyReference {
  readonly bodyId: number
  readonly sizeOctets: number
  /** Its name on Disk, or null where the octets are in the row. */
  readonly staged: string | null
  /** The octets themselves, where they are in the row and so few that they came along. */
  readonly octets?: Uint8Array
}

export type StoredMessage = FolderMessage & {
  readonly head: Uint8Array
  readonly body: BodyReference
}

/** A message with its own head, and its body where that is small. */
type MessageRow = FolderMessage & {
  readonly head: Uint8Array
  readonly bodyOctets: number | null
  readonly staged: string | null
  readonly octets: Uint8Array | null
}

/** Bodies up to this come along with their message. */
export const INLINE_MAX_OCTETS = 65_536

const STORED = `SELECT ${MESSAGE}, m.head, b.size_octets AS "bodyOctets", b.staged,
  CASE WHEN b.size_octets <= ?2 THEN b.octets END AS octets
  FROM mailbox_message m LEFT JOIN body b ON b.id = m.body_id WHERE m.mailbox_id = ?1 AND m.uid`
const STORED_ONE = `${STORED} = ?3`
const STORED_SOME = someTexts(`${STORED} {uids} ORDER BY m.uid`, 3)

interface OneMessage {
  readonly mailboxId: number
  readonly uid: number
}

/** One message by UID; undefined where it is gone. A missing body is a broken store: it throws. */
export const messageByUid = reader('mailbox.messageByUid', (tx, of: OneMessage) =>
  oneMessage(tx, of, INLINE_MAX_OCTETS),
)

/** The same with its body, however large, if that is in its row: for a reader on a thread of its own. */
export function wholeMessage(tx: Read, of: OneMessage): Promise<StoredMessage | undefined> {
  return oneMessage(tx, of, Number.MAX_SAFE_INTEGER)
}

async function oneMessage(
  tx: Read,
  { mailboxId, uid }: OneMessage,
  inlineMaxOctets: number,
): Promise<StoredMessage | undefined> {
  const row = await tx.get<MessageRow>(STORED_ONE, mailboxId, inlineMaxOctets, uid)
  return row && storedMessage(row)
}

/** Those of some messages that are there, by UID; the caller knows that they are few. */
export const messagesByUid = reader(
  'mailbox.messagesByUid',
  async (
    tx,
    { mailboxId, uids }: { readonly mailboxId: number; readonly uids: readonly number[] },
  ): Promise<StoredMessage[]> => {
    const rows = await readSome<MessageRow>(tx, STORED_SOME, uids, mailboxId, INLINE_MAX_OCTETS)
    return rows.map(storedMessage)
  },
)

function storedMessage({ bodyOctets, staged, octets, ...message }: MessageRow): StoredMessage {
  const { bodyId } = message
  if (bodyOctets === null) throw new Error(`body ${bodyId} is not in the store`)
  const body = { bodyId, sizeOctets: bodyOctets, staged }
  return { ...message, body: octets === null ? body : { ...body, octets } }
}

/** Octets [from, to) of a body that is in its row; undefined where the body is gone. */
export const bodySlice = reader(
  'mailbox.bodySlice',
  async (
    tx,
    { bodyId, from, to }: { readonly bodyId: number; readonly from: number; readonly to: number },
  ): Promise<Uint8Array | undefined> => {
    // substr counts from 1.
    const row = await tx.get<{ slice: Uint8Array | null }>(
      'SELECT substr(octets, ?2, ?3) AS slice FROM body WHERE id = ?1',
      bodyId,
      from + 1,
      to - from,
    )
    return row?.slice ?? undefined
  },
)

/** The mailboxes of an account, by its canonical address. */
export const mailboxesOf = reader('mailbox.ofAccount', (tx, address: string) =>
  tx.all<{ accountId: number; name: string }>(
    `SELECT m.account_id AS "accountId", m.name FROM mailbox m
     JOIN account a ON a.id = m.account_id WHERE a.address = ?1 ORDER BY m.name`,
    address,
  ),
)
