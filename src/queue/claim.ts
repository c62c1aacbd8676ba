/**
 * Leases: which waiting rows go next, and by whom. The writers are named as those of writer.ts are; the
 * worker calls them.
 *
 * What is due goes by its time, and by priority (RFC 6710): nobody waits for ever. Three quarters of a
 * claim are for the highest priorities there are; the rest goes by time, where a priority below 0
 * counts as a minute later for each step; what room is then left is for the low ones. Rows with a priority
 * are found by an index of their own, so that no long queue is looked through for them, and
 * where there are none (as usual) they cost one look.
 */
import { writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'

/** How long a row is a worker's that does not renew its lease. */
export const LEASE_MS = 45_000

/** The columns of `Claimed`. */
export const CLAIMED =
  'message_id, n, address, domain, notify, original_recipient, alias_of, parameters, attempts, delay_notified_at, released_at, doubts, via'

/** A recipient row that was claimed, with what a transport needs of its message. */
export interface Claimed {
  readonly message_id: string
  readonly n: number
  readonly address: string
  readonly domain: string
  readonly notify: string | null
  readonly original_recipient: string | null
  readonly alias_of: string | null
  readonly parameters: string | null
  readonly attempts: number
  readonly delay_notified_at: number | null
  /** When the operator let it go last, after it was held. */
  readonly released_at: number | null
  readonly doubts: number
  /** The way an operator has set for it. */
  readonly via: string | null
}

export interface ClaimInput {
  readonly node: string
  readonly leaseMs: number
  readonly limit: number
}

/**
 * Whether anything is due at all: one look at an index, where the claim itself costs SQLite three tables of its
 * own (0.3 ms) also where it finds nothing.
 */
const DUE =
  "SELECT 1 AS due FROM recipient WHERE state IN ('queued', 'leased') AND due_at <= :now LIMIT 1"

/** The literal condition of the index of priorities, which only a query that has it can use. */
const PRIORITISED = "priority <> 0 AND state IN ('queued', 'leased')"
/** What a priority below 0 adds to its time, for each step. */
const STEP_MS = 60_000
/** No more of a claim than this is by priority alone. */
const SHARE = 0.75

/**
 * Leases what is due: queued rows, and rows whose lease a dead node let expire. What another node is
 * claiming at this moment is passed over, so that claims never wait for each other and never overlap.
 */
export const claim = writer<ClaimInput, Claimed[]>('queue.claim', async (tx, input) => {
  if ((await tx.get(DUE)) === undefined) return []
  let level = await levelBelow(tx, 10)
  if (level === undefined) return lease(tx, input, input.limit, '')
  const claimed: Claimed[] = []
  const most = Math.ceil(input.limit * SHARE)
  while (level !== undefined && level > 0 && claimed.length < most) {
    claimed.push(...(await leaseLevel(tx, input, most - claimed.length, level)))
    level = await levelBelow(tx, level)
  }
  const byTime = `AND due_at <= :now + priority * ${STEP_MS}`
  claimed.push(...(await lease(tx, input, input.limit - claimed.length, byTime)))
  level = await levelBelow(tx, 0)
  while (level !== undefined && claimed.length < input.limit) {
    claimed.push(...(await leaseLevel(tx, input, input.limit - claimed.length, level)))
    level = await levelBelow(tx, level)
  }
  return claimed
})

/** The highest priority below this one that anything waits with, 0 left out. */
async function levelBelow(tx: Write, priority: number): Promise<number | undefined> {
  const row = await tx.get<{ priority: number }>(
    `SELECT priority FROM recipient WHERE ${PRIORITISED} AND priority < ?1
     ORDER BY priority DESC LIMIT 1`,
    priority,
  )
  return row?.priority
}

function leaseLevel(
  tx: Write,
  input: ClaimInput,
  limit: number,
  priority: number,
): Promise<Claimed[]> {
  return lease(tx, input, limit, `AND priority <> 0 AND priority = ${priority}`)
}

/** Leases the first of what is due and meets a condition. */
function lease(
  tx: Write,
  { node, leaseMs }: ClaimInput,
  limit: number,
  condition: string,
): Promise<Claimed[]> {
  return tx.all<Claimed>(
    `WITH due AS MATERIALIZED (
       SELECT message_id, n FROM recipient WHERE state IN ('queued', 'leased') AND due_at <= :now
       ${condition} ORDER BY due_at LIMIT ?3 /*skip locked*/)
     UPDATE recipient SET state = 'leased', leased_by = ?1, due_at = :now + ?2, lane = NULL
     WHERE (message_id, n) IN (SELECT message_id, n FROM due)
     RETURNING ${CLAIMED}`,
    node,
    leaseMs,
    limit,
  )
}

export interface AskedInput {
  readonly node: string
  readonly leaseMs: number
  readonly limit: number
  readonly domains: readonly string[]
  /** The last row of the claim before: what failed in this round is not tried again by it. */
  readonly after: { readonly messageId: string; readonly n: number }
}

/**
 * Leases what waits for some domains, whatever its time, oldest first: its customer has asked for it
 * (transport/pickup.ts). What somebody carries just now is left to him, and what was never tried and is
 * not due is held by its sender (RFC 4865).
 */
export const claimAsked = writer<AskedInput, Claimed[]>('queue.claimAsked', async (tx, input) => {
  const domains = input.domains.map((_, i) => `?${i + 6}`).join(', ')
  const rows = await tx.all<Claimed>(
    `WITH asked AS MATERIALIZED (
       SELECT message_id, n FROM recipient WHERE state = 'queued' AND domain IN (${domains})
       AND (message_id, n) > (?4, ?5) AND (status IS NOT NULL OR due_at <= :now) ORDER BY message_id, n LIMIT ?3 /*skip locked*/)
     UPDATE recipient SET state = 'leased', leased_by = ?1, due_at = :now + ?2, lane = NULL
     WHERE (message_id, n) IN (SELECT message_id, n FROM asked)
     RETURNING ${CLAIMED}`,
    input.node,
    input.leaseMs,
    input.limit,
    input.after.messageId,
    input.after.n,
    ...input.domains,
  )
  // RETURNING promises no order, and the last row is where the next claim begins.
  return rows.sort(byAge)
})

function byAge(a: Claimed, b: Claimed): number {
  if (a.message_id === b.message_id) return a.n - b.n
  return a.message_id < b.message_id ? -1 : 1
}
