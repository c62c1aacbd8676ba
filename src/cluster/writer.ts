/**
 * Every change of the two tables that nodes share about themselves: who is at work, and who has a
 * maildrop to himself. All times are the database's, so that a node whose clock is wrong neither
 * looks dead nor keeps a lock for ever. Called by node.ts and maildrop-locks.ts.
 */
import { writer } from '../store/store.ts'

/** What a node says of itself. */
export interface NodeFacts {
  /** The id of this life; leases carry it. */
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  /** The hash of the config in force. */
  readonly epoch: string
  readonly startedAt: number
  readonly draining: boolean
}

/** A row that was not renewed for so long is of no interest to anybody. */
const FORGOTTEN_MS = 24 * 3_600_000

export interface Beat extends NodeFacts {
  /** Whether no other node can be at work on this store: whoever else has a row is dead. */
  readonly alone: boolean
}

/** Says that this node is at work, and what it is; forgets those that died a day ago. */
export const beat = writer('cluster.beat', async (tx, node: Beat) => {
  await tx.run(
    `INSERT INTO node (id, host, pid, version, epoch, started_at, seen_at, draining)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, :now, ?7)
     ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, seen_at = excluded.seen_at,
       draining = excluded.draining`,
    node.id,
    node.host,
    node.pid,
    node.version,
    node.epoch,
    node.startedAt,
    node.draining ? 1 : 0,
  )
  if (node.alone) await tx.run('DELETE FROM node WHERE id <> ?1', node.id)
  else await tx.run(`DELETE FROM node WHERE seen_at < :now - ${FORGOTTEN_MS}`)
})

/** This node has stopped: its row goes, and so does every lock it may have left, and what it had counted. */
export const leave = writer('cluster.leave', async (tx, id: string) => {
  await tx.run('UPDATE tally SET sum = 0, until_at = :now, changed_at = :now WHERE node = ?1', id)
  await tx.run('DELETE FROM maildrop_lock WHERE holder = ?1', id)
  await tx.run('DELETE FROM node WHERE id = ?1', id)
})

export interface MaildropClaim {
  readonly accountId: number
  readonly holder: string
  readonly leaseMs: number
}

/** Takes a maildrop that nobody has, or whose holder let the lease expire; true where it is ours. */
export const takeMaildrop = writer(
  'cluster.takeMaildrop',
  async (tx, { accountId, holder, leaseMs }: MaildropClaim): Promise<boolean> => {
    const changed = await tx.run(
      `INSERT INTO maildrop_lock (account_id, holder, until_at) VALUES (?1, ?2, :now + ?3)
       ON CONFLICT (account_id) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at
       WHERE maildrop_lock.until_at <= :now`,
      accountId,
      holder,
      leaseMs,
    )
    return changed === 1
  },
)

/** Lengthens one lease; false where it was lost: another session may have the maildrop by now. */
export const keepMaildrop = writer(
  'cluster.keepMaildrop',
  async (tx, { accountId, holder, leaseMs }: MaildropClaim): Promise<boolean> => {
    const changed = await tx.run(
      `UPDATE maildrop_lock SET until_at = :now + ?3
       WHERE account_id = ?1 AND holder = ?2 AND until_at > :now`,
      accountId,
      holder,
      leaseMs,
    )
    return changed === 1
  },
)

/** Lengthens all leases of a node that have not ended: one statement, however many there are. */
export const keepMaildrops = writer(
  'cluster.keepMaildrops',
  (tx, { holder, leaseMs }: Omit<MaildropClaim, 'accountId'>) =>
    tx.run(
      'UPDATE maildrop_lock SET until_at = :now + ?2 WHERE holder = ?1 AND until_at > :now',
      holder,
      leaseMs,
    ),
)

/** Gives a maildrop back. */
export const giveMaildrop = writer(
  'cluster.giveMaildrop',
  async (tx, { accountId, holder }: Omit<MaildropClaim, 'leaseMs'>) => {
    await tx.run(
      'DELETE FROM maildrop_lock WHERE account_id = ?1 AND holder = ?2',
      accountId,
      holder,
    )
  },
)
