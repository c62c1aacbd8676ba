/**
 * What a query matches, in the order of keys (a message's id, a recipient's number), a page at a time:
 * lines for people, keys for changes, sums for a preview. No call reads more than a page, so that
 * memory stays the same whether ten rows match or a million. Called by the operations.
 */
import { either } from '../store/dialect.ts'
import { farReader } from '../store/store.ts'
import type { Read, Value } from '../world/sql.ts'
import { CLAIMED, type Claimed } from './claim.ts'
import type { Query, ShownState } from './query.ts'
import { type Moment, querySql } from './query-sql.ts'
import { SHOWN_STATE } from './state.ts'

/** A recipient's place in the queue. */
export interface Key {
  readonly messageId: string
  readonly n: number
}

export const BEFORE_ALL: Key = { messageId: '', n: -1 }

export interface PageInput {
  readonly query: Query
  readonly moment: Moment
  /** The last one of the page before. */
  readonly after: Key
  readonly limit: number
  /** States that are meant, of those the query speaks of. */
  readonly only?: readonly ShownState[]
}

/** One line of `postrider queue list`. */
export interface QueueLine {
  readonly message_id: string
  readonly n: number
  readonly reverse_path: string
  readonly address: string
  readonly state: string
  readonly size_octets: number
  readonly received_at: number
  readonly attempts: number
  readonly due_at: number
  readonly status: string | null
  readonly reason: string | null
  readonly remote: string | null
  readonly priority: number
  readonly doubts: number
  readonly via: string | null
  /** What it waits for beside its time (lane.ts). */
  readonly lane: string | null
}

const LINE = `r.message_id, r.n, m.reverse_path, r.address, r.state, m.size_octets, m.received_at, r.attempts,
  r.due_at, r.status, r.reason, r.remote, r.priority, r.doubts, r.via, r.lane`

/**
 * Where rows come from. The message stands behind its recipient, and only where it is asked: CROSS JOIN
 * keeps SQLite from beginning with it.
 */
function fromWhere(withMessage: boolean): string {
  return withMessage
    ? 'FROM recipient r CROSS JOIN message m WHERE m.id = r.message_id AND'
    : 'FROM recipient r WHERE'
}

/** The columns of a page, sorted by key; undefined where no state is left that could match. */
function pageSql(
  columns: string,
  { query, moment, after, limit, only }: PageInput,
): { sql: string; values: readonly Value[] } | undefined {
  const before = [after.messageId, after.n]
  const { states, where, asksMessage, values } = querySql(query, moment, before, only)
  const from = fromWhere(asksMessage || /\bm\./.test(columns))
  const most = Math.max(0, Math.trunc(limit))
  const parts = states.map(
    state =>
      `SELECT ${columns} ${from} ${state} AND ${where} AND (r.message_id, r.n) > (?1, ?2)
       ORDER BY 1, 2 LIMIT ${most}`,
  )
  const [first] = parts
  if (first === undefined) return undefined
  if (parts.length === 1) return { sql: first, values }
  const all = parts.map((sql, i) => `SELECT * FROM (${sql}) p${i}`).join(' UNION ALL ')
  return { sql: `${all} ORDER BY 1, 2 LIMIT ${most}`, values }
}

/** Lines, oldest first. */
export const matchingLines = farReader<PageInput, readonly QueueLine[]>(
  'queue.matchingLines',
  async (tx, input) => {
    const page = pageSql(LINE, input)
    return page === undefined ? [] : tx.all<QueueLine>(page.sql, ...page.values)
  },
)

/** Keys alone. */
export const matchingKeys = farReader<PageInput, readonly Key[]>(
  'queue.matchingKeys',
  async (tx, input) => {
    const page = pageSql('r.message_id, r.n', input)
    if (page === undefined) return []
    const rows = await tx.all<{ message_id: string; n: number }>(page.sql, ...page.values)
    return rows.map(({ message_id, n }) => ({ messageId: message_id, n }))
  },
)

/** How many match in all. */
export const matchingCount = farReader<Pick<PageInput, 'query' | 'moment' | 'only'>, number>(
  'queue.matchingCount',
  async (tx, { query, moment, only }) => {
    const { states, where, asksMessage, values } = querySql(query, moment, [], only)
    let total = 0
    for (const state of states) {
      const sql = `SELECT count(*) AS count ${fromWhere(asksMessage)} ${state} AND ${where}`
      const row = await tx.get<{ count: number }>(sql, ...values)
      total += row?.count ?? 0
    }
    return total
  },
)

/** Keys as one value of a statement, and the table that they are there. */
export function keyList(keys: readonly Key[]): string {
  return JSON.stringify(keys.map(({ messageId, n }) => [messageId, n]))
}

/** A statement over the keys of its first value: a table of `key_id` and `key_n`. */
export function amongKeys(sql: (list: string) => string): string {
  return either({
    sqlite: sql('(SELECT value ->> 0 AS key_id, value ->> 1 AS key_n FROM json_each(?1))'),
    postgresql: sql(
      '(SELECT (value ->> 0) COLLATE "C" AS key_id, (value ->> 1)::bigint AS key_n FROM json_array_elements(?1::json))',
    ),
  })
}

/** A recipient as a job has it, what was said of it last, and the lane in which it waits. */
export type WaitingRow = Claimed & { readonly reason: string | null; readonly lane: string | null }

/** Those of some keys that wait, for an operator who fails them with a notice, or wants them tried. */
export const waitingRows = farReader<readonly Key[], readonly WaitingRow[]>(
  'queue.waitingRows',
  (tx, keys) =>
    tx.all<WaitingRow>(
      amongKeys(
        list => `SELECT ${CLAIMED}, reason, lane FROM ${list} k CROSS JOIN recipient r
         WHERE r.message_id = k.key_id AND r.n = k.key_n AND r.state IN ('queued', 'held')`,
      ),
      keyList(keys),
    ),
)

/** Sums of one page. */
export interface PageSums {
  readonly recipients: number
  /** Different messages, and the last of them: the next page may go on with it. */
  readonly messages: number
  readonly first?: string
  readonly last?: Key
  /** When the first of them came in. */
  readonly oldest?: number
  readonly byState: readonly (readonly [ShownState, number])[]
  readonly byDomain: readonly (readonly [string, number])[]
}

interface SumRow {
  /** null in the row of the whole page. */
  readonly state: ShownState | null
  readonly domain: string | null
  readonly recipients: number
  readonly messages: number
  readonly first_id: string | null
  readonly last_id: string | null
  readonly last_n: number | null
}

/** Counts a page by state and domain; the database does, so that its rows need not come here. */
export const matchingSums = farReader<PageInput, PageSums>('queue.matchingSums', (tx, input) =>
  sumsOf(tx, input),
)

function sumsSql(page: string): string {
  return `WITH page AS MATERIALIZED (${page}), ends AS MATERIALIZED (
      SELECT count(*) AS recipients, count(DISTINCT message_id) AS messages,
        min(message_id) AS first_id, max(message_id) AS last_id FROM page)
    SELECT NULL AS state, NULL AS domain, recipients, messages, first_id, last_id,
      (SELECT max(n) FROM page WHERE message_id = ends.last_id) AS last_n FROM ends
    UNION ALL SELECT state, domain, count(*), 0, NULL, NULL, NULL FROM page GROUP BY state, domain
    ORDER BY 1, 2`
}

async function sumsOf(tx: Read, input: PageInput): Promise<PageSums> {
  const columns = `r.message_id, r.n, ${SHOWN_STATE} AS state, r.domain`
  const page = pageSql(columns, input)
  const rows = page === undefined ? [] : await tx.all<SumRow>(sumsSql(page.sql), ...page.values)
  const whole = rows.find(({ state }) => state === null)
  const states = new Map<ShownState, number>()
  const domains = new Map<string, number>()
  for (const { state, domain, recipients } of rows) {
    if (state === null || domain === null) continue
    states.set(state, (states.get(state) ?? 0) + recipients)
    domains.set(domain, (domains.get(domain) ?? 0) + recipients)
  }
  const { first_id: first = null, last_id: last = null, last_n: n = null } = whole ?? {}
  // Ids grow with time: to ask each message for its time would be to read them all.
  const oldest =
    first !== null &&
    (await tx.get<{ received_at: number }>('SELECT received_at FROM message WHERE id = ?1', first))
  return {
    recipients: whole?.recipients ?? 0,
    messages: whole?.messages ?? 0,
    ...(first !== null && { first }),
    ...(last !== null && n !== null && { last: { messageId: last, n } }),
    ...(oldest && { oldest: oldest.received_at }),
    byState: [...states],
    byDomain: [...domains],
  }
}

/** The newest message there is: what comes later is behind it. */
export const newestMessage = farReader<null, string>('queue.newestMessage', async tx => {
  const row = await tx.get<{ id: string | null }>('SELECT max(id) AS id FROM message')
  return row?.id ?? ''
})
