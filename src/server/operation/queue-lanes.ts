/** What rows that wait in a lane say of themselves: what is true of the lane just now. */
import { closedLanes } from '../../queue/lane.ts'
import { closedReason } from '../../shape/gates.ts'
import type { Store } from '../../store/store.ts'

interface Waiting {
  readonly lane: string | null
  readonly due_at: number
  readonly status: string | null
  readonly reason: string | null
}

/** As many lanes are asked for at once: a statement takes so many values on either store. */
const LANES = 500

/** Reason and next time of each are those of its destination, where that is down or suspended. */
export async function withLanes<Row extends Waiting>(
  store: Store,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const names = [...new Set(rows.flatMap(({ lane }) => lane ?? []))]
  if (names.length === 0) return rows
  const lanes = new Map<string, { reason: string; dueAt: number; status: string | null }>()
  for (let at = 0; at < names.length; at += LANES) {
    for (const lane of await store.read(closedLanes, names.slice(at, at + LANES))) {
      const { name, state, since, status, until_at: untilAt } = lane
      if (state === 'open') continue
      const reason = closedReason({ state, since, untilAt, reason: lane.reason ?? '' })
      lanes.set(name, { reason, dueAt: untilAt, status })
    }
  }
  return rows.map(row => {
    const lane = row.lane === null ? undefined : lanes.get(row.lane)
    if (lane === undefined) return row
    const { reason, status, dueAt } = lane
    return { ...row, reason, status: status ?? row.status, due_at: Math.min(dueAt, row.due_at) }
  })
}
