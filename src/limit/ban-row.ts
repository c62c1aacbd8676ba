/**
 * Bans as rows, for all nodes: one for each network that was turned away lately. Each ban is longer than the
 * one before, up to the longest; what was done long ago counts less and less, and then not at all. All
 * times are the database's. Called by bans.ts.
 */
import { farReader, reader, writer } from '../store/store.ts'
import type { Read } from '../world/sql.ts'

export interface BanRow {
  readonly network: string
  readonly level: number
  readonly begun_at: number
  readonly until_at: number
  readonly reason: string
  /** Who said so: a limit that was reached, or somebody at the command line. */
  readonly origin: 'limit' | 'operator'
}

/** How long bans are, ms. A first of 0 is none. */
export interface BanLengths {
  readonly first: number
  readonly longest: number
  /** So long after its end a ban has passed without another for its level to go down by one. */
  readonly forget: number
}

export interface NewBan {
  readonly network: string
  readonly reason: string
  readonly origin: BanRow['origin']
  readonly lengths: BanLengths
  /** How long, where somebody has said it. */
  readonly forMs?: number
}

/** The ban as it stands, and the database's time. */
export interface Banned {
  readonly now: number
  readonly row: BanRow
}

/** Each ban is so many times as long as the one before. */
const GROWTH = 3

const COLUMNS = 'network, level, begun_at, until_at, reason, origin'

async function nowOf(tx: Read): Promise<number> {
  return (await tx.get<{ now: number }>('SELECT :now AS now'))?.now ?? 0
}

/** What is left of a level by now. */
function levelLeft({ level, until_at }: BanRow, now: number, forgetMs: number): number {
  return Math.max(0, level - Math.max(0, Math.floor((now - until_at) / forgetMs)))
}

/** Turns a network away, and says until when. Where a limit says so of one that is turned away already, nothing changes. */
export const addBan = writer('limit.addBan', async (tx, ban: NewBan): Promise<Banned> => {
  const { network, reason, origin, lengths, forMs } = ban
  const now = await nowOf(tx)
  const before = await tx.get<BanRow>(`SELECT ${COLUMNS} FROM ban WHERE network = ?1`, network)
  if (before !== undefined && before.until_at > now && origin === 'limit')
    return { now, row: before }
  const level = (before === undefined ? 0 : levelLeft(before, now, lengths.forget)) + 1
  const grown = Math.min(lengths.longest, lengths.first * GROWTH ** Math.min(level - 1, 20))
  const made = { network, level, begun_at: now, until_at: now + (forMs ?? grown), reason, origin }
  await tx.run(
    `INSERT INTO ban (network, level, begun_at, until_at, reason, origin, changed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, :now)
     ON CONFLICT (network) DO UPDATE SET level = excluded.level, begun_at = excluded.begun_at,
       until_at = excluded.until_at, reason = excluded.reason, origin = excluded.origin,
       changed_at = excluded.changed_at`,
    network,
    level,
    made.begun_at,
    made.until_at,
    reason,
    origin,
  )
  return { now, row: made }
})

/** Ends a ban and forgets what led to it; whether there was one. The row stays a while, for other nodes to see. */
export const liftBan = writer('limit.liftBan', async (tx, network: string): Promise<boolean> => {
  const changed = await tx.run(
    'UPDATE ban SET level = 0, until_at = :now, changed_at = :now WHERE network = ?1 AND until_at > :now',
    network,
  )
  return changed > 0
})

export interface BansSeen {
  /** The database's time as they were read. */
  readonly now: number
  readonly rows: readonly BanRow[]
}

/** Far more than a machine that is not under a flood of addresses has. */
const ROWS_MAX = 100_000

async function inForce(tx: Read, _: null): Promise<BansSeen> {
  const now = await nowOf(tx)
  const rows = await tx.all<BanRow>(
    `SELECT ${COLUMNS} FROM ban WHERE until_at > ?1 ORDER BY until_at DESC LIMIT ${ROWS_MAX}`,
    now,
  )
  return { now, rows }
}

/** All that are in force, those that end last first. */
export const bansInForce = farReader('limit.bansInForce', inForce)

/** The same for a start, at which nobody waits: the thread of far readers, which would have to start for it, costs more. */
export const bansAtStart = reader('limit.bansAtStart', inForce)

/** What has changed since, lifted ones among them. */
export const bansChanged = reader(
  'limit.bansChanged',
  async (tx, since: number): Promise<BansSeen> => {
    const now = await nowOf(tx)
    const rows = await tx.all<BanRow>(
      `SELECT ${COLUMNS} FROM ban WHERE changed_at >= ?1 ORDER BY changed_at, network LIMIT ${ROWS_MAX}`,
      since,
    )
    return { now, rows }
  },
)

/** Forgets what no longer counts; at most so many rows at once, and how many it were. */
export const sweepBans = writer('limit.sweepBans', async (tx, forgetMs: number) => {
  // A lifted one has a level of 0: an hour is enough for every node to have heard of it.
  const over = 'until_at + level * ?1 + 3600000 < :now'
  return tx.run(
    `DELETE FROM ban WHERE network IN (SELECT network FROM ban WHERE ${over} LIMIT 1000)`,
    forgetMs,
  )
})
