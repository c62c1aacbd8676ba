/**
 * Lanes: where rows wait whose time has come and that may not go yet. A lane is named for what holds its
 * rows up: a destination by its route's key, a sender, a rule of shaping. A row is put into a lane once, by
 * a claim that found no room or at its birth, and is not looked at again before the lane gives it back:
 * a million rows behind a dead host cost one probe. Its `due_at` is then the time at which its sender must
 * hear of it, or at which it ends.
 *
 * Here are the statements; transport/lanes.ts knows when. A lane with rows has a row in `lane`, which all nodes see.
 */
import { farReader, reader, writer } from '../store/store.ts'
import type { Write } from '../world/sql.ts'
import { CLAIMED, type Claimed } from './claim.ts'

/** 'open': rows go as there is room; 'down': one probe may go at `until_at`; 'suspended': nothing goes before it. */
export type LaneState = 'open' | 'down' | 'suspended'

/** A lane as all nodes see it. Times are the database's. */
export interface LaneRow {
  readonly name: string
  readonly state: LaneState
  /** When it came into this state. */
  readonly since: number
  readonly until_at: number
  /** `until_at`, from now on: what a node counts by, however wrong its clock. */
  readonly until_in: number
  /** How long the last wait between two probes was. */
  readonly wait_ms: number
  readonly status: string | null
  readonly reason: string | null
  readonly changed_at: number
}

const LANE =
  'name, state, since, until_at, until_at - :now AS until_in, wait_ms, status, reason, changed_at'

/** Makes sure of the lane's row, and that nobody forgets it just now (`forgetLanes`). */
const REGISTER = `INSERT INTO lane (name, state, since, until_at, wait_ms, changed_at)
  VALUES (?1, 'open', :now, 0, 0, :now) ON CONFLICT (name) DO UPDATE SET changed_at = :now`

/** In the order of their names, so that two nodes never wait for each other crosswise. */
export async function registerLanes(tx: Write, names: Iterable<string>): Promise<void> {
  await tx.many(
    REGISTER,
    [...new Set(names)].sort().map(name => [name]),
  )
}

export interface Parking {
  readonly lane: string
  /** Why, for who has no reason of his own yet. */
  readonly status: string
  readonly reason: string
  readonly rows: readonly {
    readonly messageId: string
    readonly n: number
    /** When it must be looked at all the same, from now on. */
    readonly forMs: number
  }[]
}

/** Puts rows that are leased to us into their lanes, untried. */
export const park = writer<{ node: string; parkings: readonly Parking[] }, null>(
  'queue.park',
  async (tx, { node, parkings }) => {
    await registerLanes(
      tx,
      parkings.map(({ lane }) => lane),
    )
    await tx.many(
      `UPDATE recipient SET state = 'queued', leased_by = NULL, lane = ?4, due_at = :now + ?5,
         status = COALESCE(status, ?6), reason = COALESCE(reason, ?7)
       WHERE message_id = ?1 AND n = ?2 AND state = 'leased' AND leased_by = ?3`,
      parkings.flatMap(({ lane, status, reason, rows }) =>
        rows.map(row => [row.messageId, row.n, node, lane, row.forMs, status, reason]),
      ),
    )
    return null
  },
)

/** The probe of a lane that is down, for a row that is in our hands already: true for one node alone. */
export const claimProbe = writer<{ lane: string; probeMs: number }, boolean>(
  'queue.claimProbe',
  (tx, { lane, probeMs }) => winProbe(tx, lane, probeMs),
)

async function winProbe(tx: Write, lane: string, probeMs: number): Promise<boolean> {
  const won = await tx.run(
    `UPDATE lane SET until_at = :now + ?2, changed_at = :now
     WHERE name = ?1 AND state = 'down' AND until_at <= :now`,
    lane,
    probeMs,
  )
  return won > 0
}

export interface LaneClaim {
  readonly node: string
  readonly leaseMs: number
  readonly limit: number
  readonly lane: string
  /** Set for the probe of a lane that is down: how long no other node sends one. */
  readonly probeMs?: number
  /** From the last row on, not from the first. */
  readonly newest?: boolean
}

const WAITING = "SELECT 1 AS waiting FROM recipient WHERE lane = ?1 AND state = 'queued' LIMIT 1"

/**
 * Leases the first rows of a lane, by priority and age. Where it is down, one node alone gets the probe,
 * and only once its time has come.
 */
export const claimLane = writer<LaneClaim, Claimed[]>('queue.claimLane', async (tx, input) => {
  const { node, leaseMs, limit, lane, probeMs, newest } = input
  if (probeMs !== undefined && !(await winProbe(tx, lane, probeMs))) return []
  // One look at the index: a claim that finds nothing costs as much as one that does.
  if ((await tx.get(WAITING, lane)) === undefined) return []
  // Where priorities differ they alone decide, but for probes: what breaks a host may have one.
  const backwards = newest && (probeMs !== undefined || !(await isMixed(tx, lane)))
  const order = backwards ? 'priority, message_id DESC, n DESC' : 'priority DESC, message_id, n'
  return tx.all<Claimed>(
    `WITH waiting AS MATERIALIZED (
       SELECT message_id, n FROM recipient WHERE lane = ?4 AND state = 'queued'
       ORDER BY ${order} LIMIT ?3 /*skip locked*/)
     UPDATE recipient SET state = 'leased', leased_by = ?1, due_at = :now + ?2, lane = NULL
     WHERE (message_id, n) IN (SELECT message_id, n FROM waiting)
     RETURNING ${CLAIMED}`,
    node,
    leaseMs,
    limit,
    lane,
  )
})

/** Whether rows of several priorities wait in a lane: both ends of its index tell. */
async function isMixed(tx: Write, lane: string): Promise<boolean> {
  const end = (order: string) =>
    `(SELECT priority FROM recipient WHERE lane = ?1 AND state = 'queued' ORDER BY ${order} LIMIT 1)`
  const least = end('priority, message_id DESC, n DESC')
  const most = end('priority DESC, message_id, n')
  const row = await tx.get<{ least: number; most: number }>(
    `SELECT ${least} AS least, ${most} AS most`,
    lane,
  )
  return row !== undefined && row.least !== row.most
}

export interface LaneDown {
  readonly name: string
  /** It was the probe that failed: the wait doubles. */
  readonly probe: boolean
  readonly firstMs: number
  readonly mostMs: number
  /** Thousandths of the wait that chance adds. */
  readonly spread: number
  readonly status: string
  readonly reason: string
}

/**
 * The destination cannot be reached. Who finds that out beside others changes nothing. Where it was down
 * until a moment ago, the wait goes on from where it was: a host that flaps is not stormed.
 */
export const laneDown = writer<LaneDown, LaneRow | undefined>('queue.laneDown', (tx, input) => {
  const again = `CASE WHEN lane.state = 'down' AND ?2 = 0 THEN lane.wait_ms
    WHEN lane.wait_ms = 0 OR (lane.state = 'open' AND lane.since + lane.wait_ms < :now) THEN ?3
    WHEN lane.wait_ms * 2 > ?4 THEN ?4 ELSE lane.wait_ms * 2 END`
  return tx.get<LaneRow>(
    `INSERT INTO lane (name, state, since, until_at, wait_ms, status, reason, changed_at)
     VALUES (?1, 'down', :now, :now + ?8, ?3, ?6, ?7, :now)
     ON CONFLICT (name) DO UPDATE SET state = 'down',
       since = CASE WHEN lane.state = 'down' THEN lane.since ELSE :now END,
       until_at = CASE WHEN lane.state = 'down' AND ?2 = 0 THEN lane.until_at
         ELSE :now + (${again}) + (${again}) * ?5 / 1000 END,
       wait_ms = ${again}, status = ?6, reason = ?7, changed_at = :now
     WHERE lane.state <> 'suspended'
     RETURNING ${LANE}`,
    input.name,
    input.probe ? 1 : 0,
    input.firstMs,
    input.mostMs,
    input.spread,
    input.status,
    input.reason,
    Math.round(input.firstMs * (1 + input.spread / 1000)),
  )
})

/** Somebody was at home: what waits goes on. The last wait is kept for a while (`laneDown`). */
export const laneUp = writer<string, null>('queue.laneUp', async (tx, name) => {
  await tx.run(
    `UPDATE lane SET state = 'open', since = :now, until_at = 0, status = NULL, reason = NULL,
       changed_at = :now WHERE name = ?1 AND state = 'down'`,
    name,
  )
  return null
})

/** Nothing goes before then: an operator's word, or a reply that asked for it. The later end counts. */
export const suspendLane = writer<
  { name: string; forMs: number; status: string; reason: string },
  LaneRow | undefined
>('queue.suspendLane', (tx, { name, forMs, status, reason }) =>
  tx.get<LaneRow>(
    `INSERT INTO lane (name, state, since, until_at, wait_ms, status, reason, changed_at)
     VALUES (?1, 'suspended', :now, :now + ?2, 0, ?3, ?4, :now)
     ON CONFLICT (name) DO UPDATE SET
       since = CASE WHEN lane.state = 'suspended' THEN lane.since ELSE :now END,
       until_at = CASE WHEN lane.state = 'suspended' AND lane.until_at > :now + ?2
         THEN lane.until_at ELSE :now + ?2 END,
       state = 'suspended', status = ?3, reason = ?4, changed_at = :now
     RETURNING ${LANE}`,
    name,
    forMs,
    status,
    reason,
  ),
)

/** Ends a suspension: once its time has come, or by an operator's word, which also ends a wait for a probe. */
export const resumeLane = writer<{ name: string; now: boolean }, boolean>(
  'queue.resumeLane',
  async (tx, { name, now }) => {
    const when = now ? "state IN ('suspended', 'down')" : "state = 'suspended' AND until_at <= :now"
    const changed = await tx.run(
      `UPDATE lane SET state = 'open', since = :now, until_at = 0, status = NULL, reason = NULL,
         changed_at = :now WHERE name = ?1 AND ${when}`,
      name,
    )
    return changed > 0
  },
)

/** The next batch of a rate (shape/rate.ts), granted to one node; else in how many ms there is one. */
export const grantBatch = writer<{ name: string; everyMs: number }, { readonly waitMs: number }>(
  'queue.grantBatch',
  async (tx, { name, everyMs }) => {
    const sql = `UPDATE lane SET until_at = :now + ?2 WHERE name = ?1 AND until_at <= :now`
    if ((await tx.run(sql, name, everyMs)) > 0) return { waitMs: 0 }
    const row = await tx.get<{ until_in: number }>(
      'SELECT until_at - :now AS until_in FROM lane WHERE name = ?1',
      name,
    )
    return { waitMs: Math.max(1, row?.until_in ?? everyMs) }
  },
)

/** Lanes for people: those that are not simply open first, and how many rows wait in each. */
export const laneList = farReader<
  { limit: number; name?: string },
  (LaneRow & { readonly waiting: number })[]
>('queue.laneList', (tx, { limit, name }) =>
  tx.all(
    `SELECT ${LANE}, (SELECT count(*) FROM recipient r
       WHERE r.lane = lane.name AND r.state = 'queued') AS waiting
     FROM lane WHERE ?2 = '' OR name = ?2
     ORDER BY CASE WHEN state = 'open' THEN 1 ELSE 0 END, name LIMIT ?1`,
    limit,
    name ?? '',
  ),
)

/** Our probes are still under way. */
export const renewProbes = writer<{ names: readonly string[]; probeMs: number }, null>(
  'queue.renewProbes',
  async (tx, { names, probeMs }) => {
    await tx.many(
      `UPDATE lane SET until_at = :now + ?2 WHERE name = ?1 AND state = 'down'`,
      [...names].sort().map(name => [name, probeMs]),
    )
    return null
  },
)

/** Routes have changed: what waits for a destination that is down may have another way now. */
export const reopenLanes = writer<null, number>('queue.reopenLanes', tx =>
  tx.run(
    `UPDATE lane SET state = 'open', since = :now, until_at = 0, status = NULL, reason = NULL,
       changed_at = :now WHERE state = 'down'`,
  ),
)

/**
 * A lane that is empty is forgotten a while after its last use: at least a minute, and the wait that its
 * next failure would go on from.
 */
export const forgetLanes = writer<null, number>('queue.forgetLanes', tx =>
  tx.run(
    `DELETE FROM lane WHERE state <> 'suspended' AND changed_at < :now - 60000 - wait_ms
       AND until_at < :now - 60000 AND NOT EXISTS (
         SELECT 1 FROM recipient r WHERE r.lane = lane.name AND r.state = 'queued')`,
  ),
)

/** What changed behind that time and name, oldest change first. */
export const lanesChanged = reader<
  { after: { changedAt: number; name: string }; limit: number },
  LaneRow[]
>('queue.lanesChanged', (tx, { after, limit }) =>
  tx.all(
    `SELECT ${LANE} FROM lane WHERE (changed_at, name) > (?1, ?2)
     ORDER BY changed_at, name LIMIT ?3`,
    after.changedAt,
    after.name,
    limit,
  ),
)

/** Some lanes, those of them that are not simply open. */
export const closedLanes = reader<readonly string[], LaneRow[]>('queue.closedLanes', (tx, names) =>
  names.length === 0
    ? Promise.resolve([])
    : tx.all(
        `SELECT ${LANE} FROM lane WHERE state <> 'open'
         AND name IN (${names.map((_, i) => `?${i + 1}`).join(', ')})`,
        ...names,
      ),
)

/** Destinations that are down and whose next probe is still to come, the soonest first. */
export const lanesDown = reader<{ limit: number }, readonly string[]>(
  'queue.lanesDown',
  async (tx, { limit }) => {
    const rows = await tx.all<{ name: string }>(
      `SELECT name FROM lane WHERE state = 'down' AND until_at > :now ORDER BY until_at, name LIMIT ?1`,
      limit,
    )
    return rows.map(({ name }) => name)
  },
)

/** Has these probed now: an operator has asked for it. */
export const probeLanes = writer<readonly string[], null>('queue.probeLanes', async (tx, names) => {
  await tx.many(
    `UPDATE lane SET until_at = :now, changed_at = :now
     WHERE name = ?1 AND state = 'down' AND until_at > :now`,
    [...names].sort().map(name => [name]),
  )
  return null
})

/** A place in the order in which ready lanes are looked at. */
export interface LaneCursor {
  readonly untilAt: number
  readonly name: string
}

/** Lanes behind the cursor whose time has come and in which rows wait. */
export const readyLanes = reader<{ after: LaneCursor; limit: number }, LaneRow[]>(
  'queue.readyLanes',
  (tx, { after, limit }) =>
    tx.all(
      `SELECT ${LANE} FROM lane WHERE until_at <= :now AND (until_at, name) > (?1, ?2)
         AND EXISTS (SELECT 1 FROM recipient r WHERE r.lane = lane.name AND r.state = 'queued')
       ORDER BY until_at, name LIMIT ?3`,
      after.untilAt,
      after.name,
      limit,
    ),
)

/** When the worker should look again, all from now on and below 0 where it is overdue. */
export interface Upcoming {
  /** The next row that falls due; null where nothing waits. */
  readonly due_in: number | null
  /** The next lane whose time comes. */
  readonly lane_in: number | null
  /** Set where rows wait in a lane whose time has come. */
  readonly ready: number | null
  /** When any lane changed last. */
  readonly changed: number | null
}

export const upcoming = reader<null, Upcoming>('queue.upcoming', async tx => {
  const row = await tx.get<Upcoming>(
    `SELECT (SELECT min(due_at) FROM recipient WHERE state IN ('queued', 'leased')) - :now AS due_in,
       (SELECT min(until_at) FROM lane WHERE until_at > :now) - :now AS lane_in,
       (SELECT 1 FROM lane WHERE until_at <= :now AND EXISTS (
         SELECT 1 FROM recipient r WHERE r.lane = lane.name AND r.state = 'queued') LIMIT 1) AS ready,
       (SELECT max(changed_at) FROM lane) AS changed`,
  )
  return row ?? { due_in: null, lane_in: null, ready: null, changed: null }
})
