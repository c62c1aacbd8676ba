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
  readonly account_id: number | null
  readonly peer: string
  readonly received_at: number
}

export const queuedMessage = reader<string, QueuedMessage | undefined>('queue.message', (tx, id) =>
  tx.get<QueuedMessage>(
    `SELECT id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, ret, envelope_id,
       account_id, peer, received_at FROM message WHERE id = ?1 AND body_id IS NOT NULL`,
    id,
  ),
)

/** When the next row falls due, ms since the epoch; undefined where nothing waits. */
export const nextDue = reader<null, number | undefined>('queue.nextDue', async tx => {
  const row = await tx.get<{ due_at: number | null }>(
    `SELECT min(due_at) AS due_at FROM recipient WHERE state IN ('queued', 'leased')`,
  )
  return row?.due_at ?? undefined
})

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
  r.due_at, r.status, r.reason, r.remote FROM recipient r JOIN message m ON m.id = r.message_id`

/** Recipients not yet settled, oldest first, after the given id. Two indexes, one answer. */
export const waiting = farReader<{ after: string; limit: number }, QueueLine[]>(
  'queue.waiting',
  (tx, { after, limit }) =>
    tx.all<QueueLine>(
      `SELECT ${LINE} WHERE r.state IN ('queued', 'leased') AND r.message_id > ?1
       UNION ALL SELECT ${LINE} WHERE r.state = 'held' AND r.message_id > ?1
       ORDER BY 1, 2 LIMIT ?2`,
      after,
      limit,
    ),
)

/** All recipients of one message, settled or not. */
export const recipientsOf = reader<string, QueueLine[]>('queue.recipientsOf', (tx, id) =>
  tx.all<QueueLine>(`SELECT ${LINE} WHERE r.message_id = ?1 ORDER BY r.n`, id),
)

/** How many recipients wait, by state. */
export const depth = farReader<null, { state: string; recipients: number }[]>('queue.depth', tx =>
  tx.all(
    `SELECT state, count(*) AS recipients FROM recipient WHERE state IN ('queued', 'leased')
       GROUP BY state
     UNION ALL SELECT 'held', count(*) FROM recipient WHERE state = 'held'`,
  ),
)
