/**
 * COPY and MOVE within an account (RFC 9051 §6.4.7, §6.4.8): all of the messages or none, by one
 * transaction. A copy shares the body and has its own row; its INTERNALDATE and flags are kept.
 */
import type { QuotaLimit } from '../account/quota.ts'
import { writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { copyInto, type Delivered, type deliverInto } from './deliver.ts'
import { allowed, KEYWORDS_MAX } from './flags.ts'
import { fits } from './quota.ts'
import { readSome, someTexts } from './some.ts'
import { withUids } from './tally.ts'
import { type Gone, SAVED, vanish } from './writer.ts'

export interface CopyInput {
  readonly accountId: number
  readonly mailboxId: number
  readonly uids: readonly number[]
  /** The name of the mailbox they go to; it must be there. */
  readonly to: string
  readonly move: boolean
  /** What the account may hold. */
  readonly limit?: QuotaLimit
  /** Rights at the mailbox they go to: flags that they do not cover are left behind. Absent is all. */
  readonly rights?: string
}

export type Copied =
  | {
      readonly kind: 'copied'
      readonly uidValidity: number
      /** Pair by pair: those that were gone are in neither. */
      readonly from: readonly number[]
      readonly to: readonly number[]
    }
  | { readonly kind: 'missing' }
  /** There is no room for it. */
  | { readonly kind: 'full' }
  | { readonly kind: 'too many keywords' }

interface Row {
  readonly uid: number
  readonly sizeOctets: number
  readonly ownFlags: string
}

const READ = someTexts(
  `SELECT uid, size_octets AS "sizeOctets", flags AS "ownFlags" FROM mailbox_message
   WHERE mailbox_id = ?1 AND uid {uids} ORDER BY uid`,
  2,
)
const REMOVE = withUids(
  `DELETE FROM mailbox_message WHERE mailbox_id = ?1 AND uid {uids}
   RETURNING uid, body_id, message_id, flags, size_octets AS "sizeOctets"`,
  2,
)

export const copyMessages = writer(
  'mailbox.copy',
  async (
    tx,
    { accountId, mailboxId, uids: named, to, move, limit, rights }: CopyInput,
  ): Promise<Copied> => {
    const uids = [...named].sort((a, b) => a - b)
    const target = await tx.get<{ id: number; uid_validity: number }>(
      'SELECT id, uid_validity FROM mailbox WHERE account_id = ?1 AND name = ?2',
      accountId,
      to,
    )
    if (target === undefined) return { kind: 'missing' }
    await lockInOrder(tx, [target.id, mailboxId])
    const found = await readSome<Row>(tx, READ, uids, mailboxId)
    const copied = found.map(row => ({
      ...row,
      flags: allowed(row.ownFlags.split(' '), rights).join(' '),
    }))
    if (copied.length === 0) {
      return { kind: 'copied', uidValidity: target.uid_validity, from: [], to: [] }
    }
    if (!(await fits(tx, accountId, limit, copied))) return { kind: 'full' }
    if (!(await keepKeywords(tx, target.id, copied))) return { kind: 'too many keywords' }
    const copies = { accountId, mailboxName: to, fromMailboxId: mailboxId, uids, copied }
    const uid = await copyInto(tx, copies)
    if (move) {
      const moved = JSON.stringify(copied.map(each => each.uid))
      await vanish(tx, mailboxId, await tx.all<Gone>(REMOVE, mailboxId, moved))
    }
    return {
      kind: 'copied',
      uidValidity: target.uid_validity,
      from: copied.map(each => each.uid),
      to: copied.map((_, n) => uid + n),
    }
  },
  ({ uids }) => uids.length,
)

/** Mailboxes are locked in the order of their keys, so that two copies in opposite directions never wait for each other. */
export async function lockInOrder(tx: Write, mailboxIds: readonly number[]): Promise<void> {
  for (const id of [...mailboxIds].sort((a, b) => a - b)) {
    await tx.run('UPDATE mailbox SET mod_seq = mod_seq WHERE id = ?1', id)
  }
}

/** Messages that did not come by a delivery came now, whatever their INTERNALDATE (RFC 8514 §4.1). */
export async function savedNow(tx: Write, delivered: readonly Delivered[]): Promise<void> {
  const [first, last] = [delivered[0], delivered.at(-1)]
  // They are of one mailbox and lie side by side.
  if (first && last) await tx.run(SAVED, first.mailboxId, first.uid, last.uid)
}

/** The mailbox knows the keywords that its new messages bring; false where it would have too many, and then nothing is changed. */
export async function keepKeywords(
  tx: Parameters<typeof deliverInto>[0],
  mailboxId: number,
  rows: readonly { readonly flags: string }[],
): Promise<boolean> {
  const brought = new Set(rows.flatMap(({ flags }) => flags.split(' ')))
  const words = [...brought].filter(flag => flag !== '' && !flag.startsWith('\\'))
  if (words.length === 0) return true
  const row = await tx.get<{ keywords: string }>(
    'SELECT keywords FROM mailbox WHERE id = ?1',
    mailboxId,
  )
  const known = row === undefined || row.keywords === '' ? [] : row.keywords.split(' ')
  const lower = new Set(known.map(word => word.toLowerCase()))
  const fresh = words.filter(word => !lower.has(word.toLowerCase()))
  if (fresh.length === 0) return true
  if (known.length + fresh.length > KEYWORDS_MAX) return false
  await tx.run(
    'UPDATE mailbox SET keywords = ?2 WHERE id = ?1',
    mailboxId,
    [...known, ...fresh].join(' '),
  )
  return true
}
