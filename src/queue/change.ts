/**
 * What an operator does to recipients that wait. A slice of keys (matching.ts) at a time, each a short
 * write behind the accepts of its moment; and each asks again whether the query still matches, so that
 * only that is changed which was meant and still is. What is being carried just now does not obey.
 *
 * Slices are independent: whoever is stopped between two of them begins again with the same query.
 */
import { writer } from '../store/store.ts'
import { wave } from '../store/wave.ts'
import type { Value, Write } from '../world/sql.ts'
import { amongKeys, type Key, keyList } from './matching.ts'
import type { Query, ShownState } from './query.ts'
import { type Moment, querySql } from './query-sql.ts'
import { countSettled } from './writer.ts'

/** What can be done here; to fail with a notice is the settler's (`matchingRows`). */
export type Change =
  | { readonly order: 'retry' | 'hold' | 'release' | 'delete' }
  | { readonly order: 'priority'; readonly priority: number }
  /** By this hop of the config, or 'mx'; null for the usual way. */
  | { readonly order: 'reroute'; readonly via: string | null }

export type Order = Change['order']

/** Which states an order means; of others it knows nothing to do. */
export const OBEYING: Readonly<Record<Order | 'expire', readonly ShownState[]>> = {
  retry: ['queued', 'deferred', 'doubt'],
  hold: ['queued', 'deferred', 'doubt'],
  release: ['held'],
  delete: ['queued', 'deferred', 'doubt', 'held'],
  priority: ['queued', 'deferred', 'doubt', 'held'],
  reroute: ['queued', 'deferred', 'doubt', 'held'],
  expire: ['queued', 'deferred', 'doubt', 'held'],
}

interface Slice {
  readonly query: Query
  readonly moment: Moment
  readonly keys: readonly Key[]
}

const SETS: Readonly<Record<Order, string>> = {
  retry: 'due_at = :now, lane = NULL',
  hold: "state = 'held', lane = NULL, reason = 'held by the operator'",
  release:
    "state = 'queued', due_at = :now, released_at = :now, reason = 'released by the operator'",
  delete:
    "state = 'deleted', lane = NULL, settled_at = :now, due_at = 0, status = NULL, reason = 'deleted by the operator'",
  priority: 'priority = ?2',
  // Another way has not been tried: what waits need wait no longer.
  reroute: "via = ?2, lane = NULL, due_at = CASE state WHEN 'queued' THEN :now ELSE due_at END",
}

/** The stored states an order may find, asked of the row itself: another node may just have taken it. */
const FOUND: Readonly<Record<Order, string>> = {
  retry: "state = 'queued'",
  hold: "state = 'queued'",
  release: "state = 'held'",
  delete: "state IN ('queued', 'held')",
  priority: "state IN ('queued', 'held')",
  reroute: "state IN ('queued', 'held')",
}

/** Carries out an order on a slice; tells how many obeyed, and which staged bodies are to be removed. */
export const change = writer<
  Slice & { readonly change: Change; readonly at: number },
  { readonly changed: number; readonly released: readonly string[] }
>('queue.change', async (tx, input) => {
  const { change: what, at } = input
  const extra = valuesOf(what)
  if (what.order === 'retry') await probeNow(tx, input.keys)
  const rows = await update(tx, what.order, extra, input)
  const released = what.order === 'delete' ? await letGo(tx, rows, at) : []
  return { changed: rows.length, released }
})

function valuesOf(what: Change): Value[] {
  if (what.order === 'priority') return [what.priority]
  return what.order === 'reroute' ? [what.via] : []
}

/** What waits for a host that is down asks it now (lane.ts): else it would only go back to its lane. */
async function probeNow(tx: Write, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return
  const sql = amongKeys(
    list => `UPDATE lane SET until_at = :now, changed_at = :now
     WHERE state = 'down' AND until_at > :now AND name IN (
       SELECT r.lane FROM ${list} k CROSS JOIN recipient r
       WHERE r.message_id = k.key_id AND r.n = k.key_n AND r.lane IS NOT NULL)`,
  )
  await tx.run(sql, keyList(keys))
}

interface Row {
  readonly message_id: string
  readonly n: number
}

async function update(
  tx: Write,
  order: Order,
  extra: readonly Value[],
  { query, moment, keys }: Slice,
): Promise<Row[]> {
  const before = [keyList(keys), ...extra]
  const { states, where, asksMessage, values } = querySql(query, moment, before, OBEYING[order])
  if (states.length === 0 || keys.length === 0) return []
  const message = asksMessage ? 'JOIN message m ON m.id = r.message_id' : ''
  const sql = amongKeys(
    list => `UPDATE recipient SET ${SETS[order]} WHERE (message_id, n) IN (
       SELECT r.message_id, r.n FROM ${list} k
         JOIN recipient r ON r.message_id = k.key_id AND r.n = k.key_n ${message}
       WHERE (${states.map(state => `(${state})`).join(' OR ')}) AND ${where})
     AND ${FOUND[order]} RETURNING message_id, n`,
  )
  return tx.all<Row>(sql, ...values)
}

/** Messages whose last recipient was deleted let their bodies go. */
async function letGo(tx: Write, rows: readonly Row[], at: number): Promise<readonly string[]> {
  const gone = [...Map.groupBy(rows, row => row.message_id)]
  const bodies = await wave(
    gone.map(([messageId]) =>
      tx.get<{ body_id: number }>('SELECT body_id FROM message WHERE id = ?1', messageId),
    ),
  )
  const released = await wave(
    gone.map(([messageId, mine], i) => {
      const message = { messageId, bodyKey: bodies[i]?.body_id ?? 0, at }
      return countSettled(tx, message, mine.length, false)
    }),
  )
  return released.flat()
}
