/**
 * Messages a client puts into a mailbox itself (RFC 9051 §6.3.12, RFC 3502): body and row by one
 * transaction, all of them or none. They come by no queue, so no ledger knows them.
 */
import { writer } from '../store/store.ts'
import { keepKeywords } from './copy.ts'
import { type Delivery, deliverInto } from './deliver.ts'

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
}

export type AppendDone =
  | {
      readonly kind: 'appended'
      readonly uidValidity: number
      readonly uids: readonly number[]
    }
  | { readonly kind: 'missing' }

const INSERT_BODY = 'INSERT INTO body (id, size_octets, octets, staged) VALUES (?1, ?2, ?3, ?4)'

export const appendMessages = writer(
  'mailbox.append',
  async (tx, { accountId, mailbox, messages }: AppendInput): Promise<AppendDone> => {
    const target = await tx.get<{ id: number }>(
      'SELECT id FROM mailbox WHERE account_id = ?1 AND name = ?2',
      accountId,
      mailbox,
    )
    if (target === undefined) return { kind: 'missing' }
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
    await keepKeywords(tx, target.id, messages)
    return {
      kind: 'appended',
      uidValidity: delivered[0]?.uidValidity ?? 0,
      uids: delivered.map(({ uid }) => uid),
    }
  },
)
