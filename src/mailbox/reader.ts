/**
 * What reads a mailbox: the list of its messages, one message by UID, octets of a body by range.
 * Called by access/ and by the queue's transports (for bodies). A read never outlives one answer.
 */
import { either } from '../store/dialect.ts'
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

interface ListedRow {
  readonly uid: number
  readonly size_octets: number
}

const LIST_SLICE = 4_096
/** What is read at once on the main thread. */
const SMALL_MAX = 100

/** Lists a mailbox by name; undefined where there is none, as before the first delivery. */
export const openMailbox = farReader(
  'mailbox.open',
  async (tx, name: MailboxName): Promise<MailboxListing | undefined> => {
    const mailbox = await mailboxRow(tx, name)
    if (mailbox === undefined) return undefined
    const listed: ListedRow[] = []
    for (;;) {
      const rows = await listedBehind(tx, mailbox, listed.at(-1)?.uid ?? 0, LIST_SLICE)
      for (const row of rows) listed.push(row)
      if (rows.length < LIST_SLICE) return listingOf(mailbox, listed)
    }
  },
)

/**
 * The same where it is small, as most maildrops are: it costs a login by POP3 less than the start of the
 * reader's thread, which ends when nobody has needed it for a while. 'large': it is to be read there.
 */
export const openSmallMailbox = reader(
  'mailbox.openSmall',
  async (tx, name: MailboxName): Promise<MailboxListing | 'large' | undefined> => {
    const mailbox = await mailboxRow(tx, name)
    if (mailbox === undefined) return undefined
    const rows = await listedBehind(tx, mailbox, 0, SMALL_MAX + 1)
    return rows.length > SMALL_MAX ? 'large' : listingOf(mailbox, rows)
  },
)

function mailboxRow(tx: Read, { accountId, name }: MailboxName): Promise<MailboxRow | undefined> {
  return tx.get<MailboxRow>(
    `SELECT id, uid_validity, uid_next, mod_seq FROM mailbox WHERE account_id = ?1 AND name = ?2`,
    accountId,
    name,
  )
}

function listedBehind(
  tx: Read,
  { id }: MailboxRow,
  uid: number,
  most: number,
): Promise<readonly ListedRow[]> {
  return tx.all<ListedRow>(
    `SELECT uid, size_octets FROM mailbox_message
WHERE mailbox_id = ?1 AND uid > ?2 ORDER BY uid LIMIT ?3`,
    id,
    uid,
    most,
  )
}

function listingOf(mailbox: MailboxRow, rows: readonly ListedRow[]): MailboxListing {
  return {
    mailboxId: mailbox.id,
    uidValidity: mailbox.uid_validity,
    uidNext: mailbox.uid_next,
    modSeq: mailbox.mod_seq,
    uids: Uint32Array.from(rows, row => row.uid),
    sizes: Float64Array.from(rows, row => row.size_octets),
  }
}

/** Where a body's octets are. */
export interface BodyReference {
  readonly bodyId: number
  readonly sizeOctets: number
  /** Its name on Disk, or null where the octets are in the row. */
  readonly staged: string | null
}

export type StoredMessage = FolderMessage & {
  readonly head: Uint8Array
  readonly body: BodyReference
  /** Head and body together, where the body is in its row and so small that it came along. */
  readonly whole?: Uint8Array
}

type MessageRow = FolderMessage & {
  /** The head, and behind it the body where that is small. */
  readonly octets: Uint8Array
  readonly headOctets: number
  readonly bodyOctets: number | null
  readonly staged: string | null
}

/** Bodies up to this come along with their message. */
export const INLINE_MAX_OCTETS = 65_536

/** One value for both: a second would be another buffer to be made for each message. */
const stored = (joined: string) => `SELECT ${MESSAGE}, length(m.head) AS "headOctets",
  b.size_octets AS "bodyOctets", b.staged,
  CASE WHEN b.size_octets <= ?2 AND b.staged IS NULL THEN ${joined} ELSE m.head END AS octets
  FROM mailbox_message m LEFT JOIN body b ON b.id = m.body_id WHERE m.mailbox_id = ?1 AND m.uid `
const SQLITE = stored('CAST(m.head || b.octets AS BLOB)')
const POSTGRESQL = stored('m.head || b.octets')
const STORED_ONE = either({ sqlite: `${SQLITE} = ?3`, postgresql: `${POSTGRESQL} = ?3` })
const SOME = '{uids} ORDER BY m.uid'
const STORED_SOME = someTexts({ sqlite: SQLITE + SOME, postgresql: POSTGRESQL + SOME }, 3)

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

function storedMessage({
  octets,
  headOctets,
  bodyOctets,
  staged,
  ...message
}: MessageRow): StoredMessage {
  const { bodyId } = message
  if (bodyOctets === null) throw new Error(`body ${bodyId} is not in the store`)
  const head = octets.subarray(0, headOctets)
  const body = { bodyId, sizeOctets: bodyOctets, staged }
  const isWhole = octets.length === headOctets + bodyOctets
  return { ...message, head, body, ...(isWhole ? { whole: octets } : {}) }
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
