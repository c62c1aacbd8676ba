/**
 * Messages a client puts into a mailbox itself (RFC 9051 §6.3.12, RFC 3502): body and row by one
 * transaction, all of them or none. They come by no queue, so no ledger knows them.
 */
import type { QuotaLimit } from '../account/quota.ts'
import { writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { keepKeywords, lockInOrder, savedNow } from './copy.ts'
import { type Delivery, deliverInto } from './deliver.ts'
import { fits } from './quota.ts'
import { type Gone, releaseBodies, vanish } from './writer.ts'

export interface Appended {
  readonly messageId: string
  readonly bodyKey: number
  /** The octets themselves, or the name of a sealed staged body. */
  readonly body: Uint8Array | { readonly staged: string; readonly sizeOctets: number }
  readonly internalDate: number
  readonly flags: string
}

export interface AppendInput {
  readonly accountId: number
  readonly mailbox: string
  readonly messages: readonly Appended[]
  /** What the account may hold. */
  readonly limit?: QuotaLimit
  /** REPLACE (RFC 8508): this message goes by the same transaction; where it is gone, nothing is done. */
  readonly replaced?: { readonly mailboxId: number; readonly uid: number }
}

export type AppendDone =
  | {
      readonly kind: 'appended'
      readonly uidValidity: number
      readonly uids: readonly number[]
      /** Names on Disk that nothing references any more: remove them after the commit. */
      readonly staged: readonly string[]
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'gone' }
  /** There is no room for it. */
  | { readonly kind: 'full' }
  | { readonly kind: 'too many keywords' }

const REMOVE_ONE = `DELETE FROM mailbox_message WHERE mailbox_id = ?1 AND uid = ?2
RETURNING uid, body_id, message_id, flags, size_octets AS "sizeOctets"`
const INSERT_BODY = 'INSERT INTO body (id, size_octets, octets, staged) VALUES (?1, ?2, ?3, ?4)'

export const appendMessages = writer(
  'mailbox.append',
  async (
    tx,
    { accountId, mailbox, messages, replaced, limit }: AppendInput,
  ): Promise<AppendDone> => {
    const target = await tx.get<{ id: number }>(
      'SELECT id FROM mailbox WHERE account_id = ?1 AND name = ?2',
      accountId,
      mailbox,
    )
    if (target === undefined) return { kind: 'missing' }
    const sizes = messages.map(({ body }) => ({
      sizeOctets: body instanceof Uint8Array ? body.length : body.sizeOctets,
    }))
    if (!(await fits(tx, accountId, limit, sizes, await freedBy(tx, replaced)))) {
      return { kind: 'full' }
    }
    if (!(await keepKeywords(tx, target.id, messages))) return { kind: 'too many keywords' }
    let staged: readonly string[] = []
    if (replaced !== undefined) {
      const removed = await removeReplaced(tx, target.id, replaced)
      if (removed === undefined) return { kind: 'gone' }
      staged = removed
    }
    await tx.many(
      INSERT_BODY,
      messages.map(({ bodyKey, body }) =>
        body instanceof Uint8Array
          ? [bodyKey, body.length, body, null]
          : [bodyKey, body.sizeOctets, null, body.staged],
      ),
    )
    const delivered = await deliverInto(
      tx,
      messages.map(
        (message): Delivery => ({
          accountId,
          mailboxName: mailbox,
          messageId: message.messageId,
          bodyId: message.bodyKey,
          head: new Uint8Array(0),
          sizeOctets:
            message.body instanceof Uint8Array ? message.body.length : message.body.sizeOctets,
          internalDate: message.internalDate,
          flags: message.flags,
        }),
      ),
    )
    await savedNow(tx, delivered)
    return {
      kind: 'appended',
      uidValidity: delivered[0]?.uidValidity ?? 0,
      uids: delivered.map(({ uid }) => uid),
      staged,
    }
  },
)

async function freedBy(tx: Write, replaced: AppendInput['replaced']) {
  const row =
    replaced &&
    (await tx.get<{ octets: number }>(
      'SELECT size_octets AS octets FROM mailbox_message WHERE mailbox_id = ?1 AND uid = ?2',
      replaced.mailboxId,
      replaced.uid,
    ))
  return { octets: row?.octets ?? 0, messages: row === undefined ? 0 : 1 }
}

/** Gives the names on Disk that are free by it; undefined where the message is gone already. */
async function removeReplaced(
  tx: Write,
  targetId: number,
  { mailboxId, uid }: { readonly mailboxId: number; readonly uid: number },
): Promise<readonly string[] | undefined> {
  await lockInOrder(tx, [targetId, mailboxId])
  const removed = await tx.all<Gone>(REMOVE_ONE, mailboxId, uid)
  if (removed.length === 0) return undefined
  await vanish(tx, mailboxId, removed)
  const released = removed.map(row => ({ bodyId: row.body_id, messageId: row.message_id }))
  return releaseBodies(tx, released)
}
