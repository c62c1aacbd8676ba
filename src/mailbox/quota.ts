/**
 * What an account holds (RFC 9208 §3): the sum of what its mailboxes count, so that nothing more is kept up by a
 * delivery, and `check` counts it again with them. A folder that is being deleted counts no more.
 */
import { type QuotaLimit, type QuotaRow, type QuotaUsage, roomFor } from '../account/quota.ts'
import { reader } from '../store/store.ts'
import type { Read } from '../world/sql.ts'
import { DOOMED_NAME } from './folder.ts'

const USED = `SELECT CAST(coalesce(sum(size_octets), 0) AS BIGINT) AS octets,
  CAST(coalesce(sum(messages), 0) AS BIGINT) AS messages
  FROM mailbox WHERE account_id = ?1 AND substr(name, 1, 1) <> ?2`

export const usageOf = reader('mailbox.usage', (tx, accountId: number) => used(tx, accountId))

async function used(tx: Read, accountId: number): Promise<QuotaUsage> {
  const row = await tx.get<QuotaUsage>(USED, accountId, DOOMED_NAME)
  return row ?? { octets: 0, messages: 0 }
}

/** The limit of an account's row, and what it holds; undefined where there is no such account. */
export const quotaOf = reader(
  'mailbox.quota',
  async (tx, accountId: number): Promise<(QuotaRow & QuotaUsage) | undefined> => {
    const row = await tx.get<QuotaRow>(
      `SELECT quota_octets AS "quotaOctets", quota_messages AS "quotaMessages" FROM account WHERE id = ?1`,
      accountId,
    )
    return row && { ...row, ...(await used(tx, accountId)) }
  },
)

/** Whether so much more fits, asked within the transaction that puts it there. */
export async function fits(
  tx: Read,
  accountId: number,
  limit: QuotaLimit | undefined,
  messages: readonly { readonly sizeOctets: number }[],
  /** What goes by the same transaction. */
  freed: QuotaUsage = { octets: 0, messages: 0 },
): Promise<boolean> {
  if (limit === undefined) return true
  const octets = messages.reduce((sum, { sizeOctets }) => sum + sizeOctets, 0)
  const has = await used(tx, accountId)
  const left = { octets: has.octets - freed.octets, messages: has.messages - freed.messages }
  return roomFor(limit, left, { octets, messages: messages.length }) === 'room'
}
