/** Keys that sign URLs of a mailbox's messages (RFC 4467 §3.3): one for each, made when first asked for. Called by access/. */
import { reader, writer } from '../store/store.ts'

export const urlKeyOf = reader('mailbox.urlKey', async (tx, mailboxId: number) => {
  const row = await tx.get<{ key: Uint8Array }>(
    'SELECT key FROM url_key WHERE mailbox_id = ?1',
    mailboxId,
  )
  return row?.key
})

/** The key that is there, or this fresh one. */
export const keepUrlKey = writer(
  'mailbox.keepUrlKey',
  async (tx, { mailboxId, fresh }: { readonly mailboxId: number; readonly fresh: Uint8Array }) => {
    await tx.run(
      'INSERT INTO url_key (mailbox_id, key) VALUES (?1, ?2) ON CONFLICT (mailbox_id) DO NOTHING',
      mailboxId,
      fresh,
    )
    const row = await tx.get<{ key: Uint8Array }>(
      'SELECT key FROM url_key WHERE mailbox_id = ?1',
      mailboxId,
    )
    return row?.key ?? fresh
  },
)

/** RESETKEY: of one mailbox of the account, or of all. */
export const forgetUrlKeys = writer(
  'mailbox.forgetUrlKeys',
  (tx, { accountId, name }: { readonly accountId: number; readonly name?: string }) =>
    name === undefined
      ? tx.run(
          'DELETE FROM url_key WHERE mailbox_id IN (SELECT id FROM mailbox WHERE account_id = ?1)',
          accountId,
        )
      : tx.run(
          `DELETE FROM url_key WHERE mailbox_id IN
             (SELECT id FROM mailbox WHERE account_id = ?1 AND name = ?2)`,
          accountId,
          name,
        ),
)
