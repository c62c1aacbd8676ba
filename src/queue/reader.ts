/** Every look at the queue: for the worker, by key; for people, in pages. */
import { farReader, reader } from '../store/store.ts'

/** What a transport needs of a message, without its octets. */
export interface QueuedMessage {
  readonly id: string
  readonly body_id: number
  readonly head: Uint8Array
  readonly size_octets: number
  readonly origin: string
  readonly reverse_path: string
  readonly body_kind: string
  readonly utf8: number
  readonly ret: string | null
  readonly envelope_id: string | null
  readonly parameters: string | null
  readonly account_id: number | null
  readonly peer: string
  readonly received_at: number
}

export const queuedMessage = reader<string, QueuedMessage | undefined>('queue.message', (tx, id) =>
  tx.get<QueuedMessage>(
    `SELECT id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, ret, envelope_id,
       parameters, account_id, peer, received_at FROM message WHERE id = ?1 AND body_id IS NOT NULL`,
    id,
  ),
)

/** In how many ms the next row falls due, below 0 where it is overdue; undefined where nothing waits. */
export const nextDueIn = reader<null, number | undefined>('queue.nextDueIn', async tx => {
  const row = await tx.get<{ due_in: number | null }>(
    `SELECT min(due_at) - :now AS due_in FROM recipient WHERE state IN ('queued', 'leased')`,
  )
  return row?.due_in ?? undefined
})

/** Further messages than this are not counted for a customer's eyes. */
const PENDING_MAX = 10_000

/** How many messages wait for some domains, up to a limit; those being carried just now are not among them. */
export const pendingFor = reader<readonly string[], number>(
  'queue.pendingFor',
  async (tx, domains) => {
    const places = domains.map((_, i) => `?${i + 1}`).join(', ')
    const row = await tx.get<{ messages: number }>(
      `SELECT count(*) AS messages FROM (SELECT DISTINCT message_id FROM recipient
         WHERE state = 'queued' AND domain IN (${places}) AND (status IS NOT NULL OR due_at <= :now)
         LIMIT ${PENDING_MAX}) waiting`,
      ...domains,
    )
    return row?.messages ?? 0
  },
)

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
}

const LINE = `r.message_id, r.n, m.reverse_path, r.address, r.state, m.size_octets, m.received_at, r.attempts,
  r.due_at, r.status, r.reason, r.remote`

/** Which recipients are meant; all conditions together. Without `state`, those not yet settled. */
export interface Selection {
  readonly message?: string
  readonly recipient?: string
  readonly domain?: string
  readonly sender?: string
  readonly state?: string
}

/** The matching recipients after the given id, oldest first, and how many there are in all. */
export const select = farReader<
  { selection: Selection; after: string; limit: number },
  { lines: QueueLine[]; total: number }
>('queue.select', async (tx, { selection, after, limit }) => {
  const values: (string | number)[] = [after]
  const bind = (value: string) => `?${values.push(value)}`
  const where = ['r.message_id > ?1']
  if (selection.message) where.push(`r.message_id = ${bind(selection.message)}`)
  if (selection.recipient) where.push(`r.address = ${bind(selection.recipient)}`)
  if (selection.domain) where.push(`r.domain = ${bind(selection.domain.toLowerCase())}`)
  if (selection.sender !== undefined) where.push(`m.reverse_path = ${bind(selection.sender)}`)
  const from = 'FROM recipient r JOIN message m ON m.id = r.message_id'
  const condition = where.join(' AND ')
  // The waiting states have partial indexes, which only a literal condition can use.
  const parts = selection.state
    ? [`${from} WHERE r.state = ${bind(selection.state)} AND ${condition}`]
    : WAITING.map(state => `${from} WHERE ${state} AND ${condition}`)
  const lines = await tx.all<QueueLine>(
    `${parts.map(part => `SELECT ${LINE} ${part}`).join(' UNION ALL ')} ORDER BY 1, 2 LIMIT ${Math.trunc(limit)}`,
    ...values,
  )
  const counts = await tx.all<{ count: number }>(
    parts.map(part => `SELECT count(*) AS count ${part}`).join(' UNION ALL '),
    ...values,
  )
  return { lines, total: counts.reduce((sum, row) => sum + row.count, 0) }
})

const WAITING = ["r.state IN ('queued', 'leased')", "r.state = 'held'"]

/** All recipients of one message, settled or not. */
export const recipientsOf = reader<string, QueueLine[]>('queue.recipientsOf', (tx, id) =>
  tx.all<QueueLine>(
    `SELECT ${LINE} FROM recipient r JOIN message m ON m.id = r.message_id WHERE r.message_id = ?1 ORDER BY r.n`,
    id,
  ),
)

/** How many recipients wait, by state. */
export const depth = farReader<null, { state: string; recipients: number }[]>('queue.depth', tx =>
  tx.all(
    `SELECT state, count(*) AS recipients FROM recipient WHERE state IN ('queued', 'leased')
       GROUP BY state
     UNION ALL SELECT 'held', count(*) FROM recipient WHERE state = 'held'`,
  ),
)
