/**
 * Every change of the queue. queue/README.md enumerates the states and says for each transition
 * which statement here makes it and what a crash just before or after leaves behind.
 *
 * These are named writers (store/store.ts): they run inside the committer's transaction, on both
 * stores, and know no transport.
 */
import { type Delivery, deliverInto } from '../mailbox/deliver.ts'
import { manyWriter, writer } from '../store/store.ts'
import { wave } from '../store/wave.ts'
import type { Value, Write } from '../world/sql.ts'
import { type Acceptance, acceptInto } from './acceptance.ts'
import { acceptanceCrossing } from './acceptance-crossing.ts'
import type { Settled, Settlement, SettlementDone, Withdrawal } from './settlement.ts'
import { settlementCrossing } from './settlement-crossing.ts'

export type { Acceptance, AcceptedRecipient } from './acceptance.ts'

/** Takes responsibility for a message (RFC 5321 §6.1). All or nothing with its notices. */
export const accept = manyWriter<Acceptance, null>(
  'queue.accept',
  async (tx, inputs) => {
    await acceptInto(
      tx,
      inputs.flatMap(input => [input, ...(input.notices ?? [])]),
    )
    return inputs.map(() => null)
  },
  acceptanceCrossing,
)

const SETTLE = `UPDATE recipient SET state = ?4, due_at = CASE WHEN ?4 = 'queued' THEN :now + ?5 ELSE 0 END,
  leased_by = NULL, attempts = attempts + ?11, doubts = doubts + ?12, status = ?6,
  reason = ?7, remote = ?8, settled_at = ?9, delay_notified_at = COALESCE(?10, delay_notified_at)
  WHERE message_id = ?1 AND n = ?2 AND `
const SETTLE_LEASED = `${SETTLE} state = 'leased' AND leased_by = ?3`
const SETTLE_WAITING = `${SETTLE} state IN ('queued', 'held') AND ?3 <> ''`
const INSERT_ATTEMPT = `INSERT INTO attempt (message_id, n, at, outcome, status, remote, reason, dialogue)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`

/** Nearly always the answer; one object for all of a batch is cloned once on its way back. */
const DONE: SettlementDone = { held: true, released: [] }

/** Ends the leases of one load: outcomes, mailbox rows and notices in one transaction. */
export const settle = manyWriter<Settlement, SettlementDone>(
  'queue.settle',
  async (tx, inputs) => {
    const deliveries: Delivery[] = []
    const attempts: Value[][] = []
    const notices: Acceptance[] = []
    // Asked all at once: PostgreSQL takes one statement behind the other without waiting for answers.
    const helds = await wave(inputs.map(input => settleRows(tx, input)))
    for (const [i, input] of inputs.entries()) {
      if (!helds[i]) continue
      notices.push(...input.notices)
      for (const r of input.results) {
        if (r.delivery) deliveries.push(r.delivery)
        if (r.attempt) attempts.push(attemptRow(input, r, r.attempt))
      }
    }
    if (deliveries.length > 0) await deliverInto(tx, deliveries)
    if (attempts.length > 0) await tx.many(INSERT_ATTEMPT, attempts)
    for (const [i, input] of inputs.entries()) {
      if (input.withdraw && helds[i]) await withdraw(tx, input.withdraw, input.at)
      if (input.letGo !== undefined && helds[i]) await tx.run(LET_GO, input.letGo)
    }
    if (notices.length > 0) await acceptInto(tx, notices)
    // Bodies are released last: only now is it known which of them a mailbox row holds.
    return wave(
      inputs.map(async (input, i): Promise<SettlementDone> => {
        if (!helds[i]) return { held: false, released: [] }
        const final = input.results.filter(r => isFinal(r.state))
        if (final.length === 0) return DONE
        const mailboxed = final.some(r => r.delivery !== undefined)
        const released = await countSettled(tx, input, final.length, mailboxed)
        return released.length === 0 ? DONE : { held: true, released }
      }),
    )
  },
  settlementCrossing,
)

function attemptRow(
  { messageId, at }: Settlement,
  { n, status, remote, reason }: Settled,
  { outcome, dialogue }: NonNullable<Settled['attempt']>,
): Value[] {
  return [messageId, n, at, outcome, status, remote, reason, dialogue]
}

const WITHDRAW = `UPDATE recipient SET state = 'deleted', due_at = 0, settled_at = ?2,
  reason = 'told together with other recipients' WHERE message_id = ?1 AND state = 'queued' AND attempts = 0`

const LET_GO = `UPDATE recipient SET due_at = :now WHERE message_id = ?1 AND state = 'queued' AND attempts = 0`

/** Its octets are in its row, so that no file is left behind. */
async function withdraw(tx: Write, { id, bodyKey }: Withdrawal, at: number): Promise<void> {
  const gone = await tx.run(WITHDRAW, id, at)
  if (gone > 0) await countSettled(tx, { messageId: id, bodyKey, at }, gone, false)
}

function isFinal(state: Settled['state']): boolean {
  return state !== 'queued' && state !== 'held'
}

/** All rows of a load change, or none: a lease that was lost in part is lost. */
async function settleRows(tx: Write, input: Settlement): Promise<boolean> {
  const changes = await wave(
    input.results.map(r => {
      const final = isFinal(r.state)
      return tx.run(
        input.waiting ? SETTLE_WAITING : SETTLE_LEASED,
        input.messageId,
        r.n,
        input.node,
        r.state,
        // Rows fall due by the database's clock, however wrong ours may be.
        (r.dueAt ?? input.at) - input.at,
        r.status,
        r.reason,
        r.remote,
        final ? input.at : null,
        r.warned ? input.at : null,
        r.untried ? 0 : 1,
        r.doubt ? 1 : 0,
      )
    }),
  )
  const changed = changes.reduce((sum, count) => sum + count, 0)
  if (changed === 0) return false
  // Leases of a load are taken and ended together; if ever not, the batch re-runs us alone, and we fail.
  if (changed !== input.results.length)
    throw new Error(`lease of ${input.messageId} held only in part`)
  return true
}

/** The usual end of a message: these were the last of its recipients. */
const SETTLE_LAST = `UPDATE message SET unsettled = 0, settled_at = ?3, body_id = NULL
  WHERE id = ?1 AND unsettled = ?2`
const COUNT_SETTLED = `UPDATE message SET unsettled = unsettled - ?2,
    settled_at = CASE WHEN unsettled = ?2 THEN ?3 ELSE settled_at END,
    body_id = CASE WHEN unsettled = ?2 THEN NULL ELSE body_id END
  WHERE id = ?1`
const COUNT_AND_TELL = `${COUNT_SETTLED} RETURNING unsettled`

/**
 * Counts final recipients down; at zero the message lets its body go, unless a mailbox holds it. What nearly always
 * holds is tried first, by statements that return nothing: RETURNING costs SQLite a table of its own.
 */
export async function countSettled(
  tx: Write,
  message: { readonly messageId: string; readonly bodyKey: number; readonly at: number },
  count: number,
  mailboxed: boolean,
): Promise<readonly string[]> {
  const values = [message.messageId, count, message.at] as const
  if (mailboxed) {
    // The mailbox holds the body: how many are left does not matter, and asking costs.
    await tx.run(COUNT_SETTLED, ...values)
    return NONE
  }
  if ((await tx.run(SETTLE_LAST, ...values)) > 0) return releaseBody(tx, message.bodyKey)
  // Others are left; or the last of them was just settled by another node, whose row this waits for.
  const row = await tx.get<{ unsettled: number }>(COUNT_AND_TELL, ...values)
  return row?.unsettled === 0 ? releaseBody(tx, message.bodyKey) : NONE
}

const NONE: readonly string[] = []
const UNHELD = 'NOT EXISTS (SELECT 1 FROM mailbox_message WHERE body_id = ?1)'
const RELEASE_ROW = `DELETE FROM body WHERE id = ?1 AND staged IS NULL AND ${UNHELD}`
const RELEASE = `DELETE FROM body WHERE id = ?1 AND ${UNHELD} RETURNING staged`

/** Removes a body of a settled message that no mailbox refers to; returns its staged name, if any. */
async function releaseBody(tx: Write, bodyId: number): Promise<readonly string[]> {
  if ((await tx.run(RELEASE_ROW, bodyId)) > 0) return NONE
  const body = await tx.get<{ staged: string | null }>(RELEASE, bodyId)
  return body?.staged ? [body.staged] : NONE
}

/** Lengthens the leases of loads that are still being carried. */
export const renew = writer<
  { node: string; leaseMs: number; rows: readonly { messageId: string; n: number }[] },
  null
>('queue.renew', async (tx, input) => {
  await tx.many(
    `UPDATE recipient SET due_at = :now + ?4
     WHERE message_id = ?1 AND n = ?2 AND state = 'leased' AND leased_by = ?3`,
    input.rows.map(row => [row.messageId, row.n, input.node, input.leaseMs]),
  )
  return null
})

/** Gives leases back unchanged: shutdown, or a load that could not even be begun. */
export const giveBack = writer<{ node: string }, number>('queue.giveBack', (tx, input) =>
  tx.run(
    `UPDATE recipient SET state = 'queued', leased_by = NULL, due_at = :now,
       reason = coalesce(reason, 'its server stopped before it was carried')
     WHERE state = 'leased' AND leased_by = ?1`,
    input.node,
  ),
)

/**
 * Makes every lease due, at the start of the only server of a store: whoever held one is dead,
 * since the data directory's lock died with him.
 */
export const recover = writer<null, number>('queue.recover', tx =>
  tx.run(
    `UPDATE recipient SET state = 'queued', leased_by = NULL, due_at = :now,
       reason = coalesce(reason, 'its server died with it in hand: what came of that is not known')
     WHERE state = 'leased'`,
  ),
)
