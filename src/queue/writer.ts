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

/** What one recipient of a load came to. */
export interface Settled {
  readonly n: number
  readonly state: 'delivered' | 'relayed' | 'failed' | 'expired' | 'queued' | 'held' | 'deleted'
  readonly status: string
  readonly reason: string
  readonly remote: string | null
  /** Only for 'queued': when it is tried again. */
  readonly dueAt?: number
  /** Only for 'queued': the sender was warned in this settlement. */
  readonly warned?: boolean
  /** Nothing was tried, so that it counts as no attempt. */
  readonly untried?: boolean
  /** All of it was sent, and nobody said whether it was taken. */
  readonly doubt?: true
  /** Only for 'delivered': the mailbox row that is inserted by this very transaction. */
  readonly delivery?: Delivery
  /** What is kept of an attempt that went over a wire. */
  readonly attempt?: { readonly outcome: string; readonly dialogue: string | null }
}

export interface Settlement {
  readonly messageId: string
  readonly bodyKey: number
  readonly node: string
  readonly at: number
  readonly results: readonly Settled[]
  /** Notices about these results: queued by the same transaction, or not at all. */
  readonly notices: readonly Acceptance[]
  /** A notice of the same message that one of these takes the place of, as long as nobody has it in hand. */
  readonly withdraw?: Withdrawal
  /** A notice of the same message that rests, by its id: nothing more is to come, so that it may go. */
  readonly letGo?: string
  /** The operator ends what waits or is held: there is no lease. */
  readonly waiting?: true
}

export interface Withdrawal {
  readonly id: string
  readonly bodyKey: number
}

export interface SettlementDone {
  /** False where the lease had been lost: nothing was changed, nobody was told. */
  readonly held: boolean
  /** Staged bodies that nothing refers to any more; to be removed now. */
  readonly released: readonly string[]
}

const SETTLE = `UPDATE recipient SET state = ?4, due_at = CASE WHEN ?4 = 'queued' THEN :now + ?5 ELSE 0 END,
  leased_by = NULL, attempts = attempts + ?11, doubts = doubts + ?12, status = ?6,
  reason = ?7, remote = ?8, settled_at = ?9, delay_notified_at = COALESCE(?10, delay_notified_at)
  WHERE message_id = ?1 AND n = ?2 AND `
const LEASED = "state = 'leased' AND leased_by = ?3"
const WAITING = "state IN ('queued', 'held') AND ?3 <> ''"
const INSERT_ATTEMPT = `INSERT INTO attempt (message_id, n, at, outcome, status, remote, reason, dialogue)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`

/** Ends the leases of one load: outcomes, mailbox rows and notices in one transaction. */
export const settle = manyWriter<Settlement, SettlementDone>('queue.settle', async (tx, inputs) => {
  const deliveries: Delivery[] = []
  const attempts: Value[][] = []
  const notices: Acceptance[] = []
  // Asked all at once: PostgreSQL takes one statement behind the other without waiting for answers.
  const helds = await wave(inputs.map(input => settleRows(tx, input)))
  for (const [i, input] of inputs.entries()) {
    if (helds[i]) {
      notices.push(...input.notices)
      for (const r of input.results) {
        if (r.delivery) deliveries.push(r.delivery)
        if (r.attempt) {
          const { outcome, dialogue } = r.attempt
          attempts.push([
            input.messageId,
            r.n,
            input.at,
            outcome,
            r.status,
            r.remote,
            r.reason,
            dialogue,
          ])
        }
      }
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
      const final = input.results.filter(r => isFinal(r.state))
      if (!helds[i] || final.length === 0) return { held: helds[i] === true, released: [] }
      const mailboxed = final.some(r => r.delivery !== undefined)
      return { held: true, released: await countSettled(tx, input, final.length, mailboxed) }
    }),
  )
})

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
        SETTLE + (input.waiting ? WAITING : LEASED),
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

const COUNT_SETTLED = `UPDATE message SET unsettled = unsettled - ?2,
    settled_at = CASE WHEN unsettled = ?2 THEN ?3 ELSE settled_at END,
    body_id = CASE WHEN unsettled = ?2 THEN NULL ELSE body_id END
  WHERE id = ?1`

/** Counts final recipients down; at zero the message lets its body go, unless a mailbox holds it. */
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
    return []
  }
  const row = await tx.get<{ unsettled: number }>(`${COUNT_SETTLED} RETURNING unsettled`, ...values)
  return row?.unsettled === 0 ? releaseBody(tx, message.bodyKey) : []
}

/** Removes a body of a settled message that no mailbox refers to; returns its staged name, if any. */
async function releaseBody(tx: Write, bodyId: number): Promise<readonly string[]> {
  const body = await tx.get<{ staged: string | null }>(
    `DELETE FROM body WHERE id = ?1
       AND NOT EXISTS (SELECT 1 FROM mailbox_message WHERE body_id = ?1) RETURNING staged`,
    bodyId,
  )
  return body?.staged ? [body.staged] : []
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
