/**
 * UIDs that vanished are remembered for clients that come back (RFC 7162 §3.2.5), but not for ever: for a month,
 * and of one mailbox no more than clients can gain by. A client from before that is told of everything that is
 * not there. Called by server/ now and then, slice by slice.
 */
import { reader, type Store, writer } from '../store/store.ts'

const DAY_MS = 24 * 3_600_000
const KEEP_MS = 30 * DAY_MS
/** Of one mailbox no more are kept than this, unless they are so young that a session may not have heard of them. */
const KEEP_ROWS = 100_000
const YOUNG_MS = 6 * 3_600_000
const SLICE = 1_000

/** The next mailbox that remembers anything. */
export const rememberingMailbox = reader('mailbox.remembering', async (tx, after: number) => {
  const row = await tx.get<{ id: number | null }>(
    'SELECT min(mailbox_id) AS id FROM mailbox_vanished WHERE mailbox_id > ?1',
    after,
  )
  return row?.id ?? undefined
})

export interface ForgetInput {
  readonly mailboxId: number
  /** What vanished before is forgotten. */
  readonly before: number
  /** Of what vanished before this only so many of the newest are kept. */
  readonly youngFrom: number
  readonly keepRows: number
}

/** Forgets up to a slice of the oldest; true where more may wait. */
export const forgetVanished = writer(
  'mailbox.forgetVanished',
  async (tx, { mailboxId, before, youngFrom, keepRows }: ForgetInput): Promise<boolean> => {
    const surplus = await tx.get<{ mod_seq: number }>(
      `SELECT mod_seq FROM mailbox_vanished WHERE mailbox_id = ?1
       ORDER BY mod_seq DESC, uid DESC LIMIT 1 OFFSET ?2`,
      mailboxId,
      keepRows,
    )
    const oldest = await tx.all<{ mod_seq: number; at: number }>(
      `SELECT mod_seq, at FROM mailbox_vanished WHERE mailbox_id = ?1 ORDER BY mod_seq, uid LIMIT ${SLICE}`,
      mailboxId,
    )
    const goes = oldest.filter(
      ({ mod_seq, at }) => at < before || (at < youngFrom && mod_seq <= (surplus?.mod_seq ?? 0)),
    )
    const floor = goes.at(-1)?.mod_seq
    if (floor === undefined) return false
    await tx.run(
      'DELETE FROM mailbox_vanished WHERE mailbox_id = ?1 AND mod_seq <= ?2',
      mailboxId,
      floor,
    )
    await tx.run('UPDATE mailbox SET vanished_floor = ?2 WHERE id = ?1', mailboxId, floor)
    return goes.length === SLICE
  },
)

/** Forgets in every mailbox what is old enough. */
export async function forgetOld(store: Pick<Store, 'read' | 'write'>, nowMs: number) {
  const limits = { before: nowMs - KEEP_MS, youngFrom: nowMs - YOUNG_MS, keepRows: KEEP_ROWS }
  for (let mailboxId: number | undefined = 0; ; ) {
    mailboxId = await store.read(rememberingMailbox, mailboxId)
    if (mailboxId === undefined) return
    while (await store.write(forgetVanished, { mailboxId, ...limits })) {
      // Slice by slice, each its own job.
    }
  }
}
