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

/**
 * Whether mail for some domains was accepted this moment: leased at its birth to the node that is about to find
 * out where it waits. A lease ends within `leaseMs`, so that what is due later need not be looked at. The first condition
 * is that of the index on `due_at`, which is used only where it stands to the letter.
 */
export const newbornFor = reader<
  { readonly domains: readonly string[]; readonly leaseMs: number },
  boolean
>('queue.newbornFor', async (tx, { domains, leaseMs }) => {
  const places = domains.map((_, i) => `?${i + 2}`).join(', ')
  const row = await tx.get<{ n: number }>(
    `SELECT n FROM recipient WHERE state IN ('queued', 'leased') AND state = 'leased'
       AND due_at > :now AND due_at <= :now + ?1 AND status IS NULL AND domain IN (${places}) LIMIT 1`,
    leaseMs,
    ...domains,
  )
  return row !== undefined
})

/** How many recipients wait, by state; each count is of an index alone. */
export const depth = farReader<null, { state: string; recipients: number }[]>('queue.depth', tx =>
  tx.all(
    `SELECT 'queued' AS state, count(*) AS recipients FROM recipient WHERE state = 'queued'
     UNION ALL SELECT 'leased', count(*) FROM recipient
       WHERE state IN ('queued', 'leased') AND state = 'leased' AND due_at >= 0
     UNION ALL SELECT 'held', count(*) FROM recipient WHERE state = 'held'
     UNION ALL SELECT 'doubt', count(*) FROM recipient WHERE state = 'queued' AND doubts > 0`,
  ),
)
