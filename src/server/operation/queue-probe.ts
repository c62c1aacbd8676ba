/**
 * An operator wants mail tried now whose destination is down: then the destination is probed now. What waits in its
 * lane says so itself (queue/change.ts); what waits for a time of its own, as whoever found the destination down
 * does, would only go into the lane when it fell due.
 */
import { lanesDown, probeLanes } from '../../queue/lane.ts'
import { type Key, type WaitingRow, waitingRows } from '../../queue/matching.ts'
import { queuedMessage } from '../../queue/reader.ts'
import type { ControlContext } from './context.ts'

/** Destinations that are down and looked for; of a domain so many recipients are asked where they go. */
const [LANES, EACH] = [1_000, 20]

export async function probeFor(context: ControlContext, keys: readonly Key[]): Promise<void> {
  const { store } = context
  if (keys.length === 0) return
  const down = new Set(await store.read(lanesDown, { limit: LANES }))
  if (down.size === 0) return
  const found: string[] = []
  for (const { message_id: id, address, via } of someOf(await store.read(waitingRows, keys))) {
    const message = await store.read(queuedMessage, id)
    if (message === undefined) continue
    const destination = await context.destination(message, address, via)
    if (down.delete(destination)) found.push(destination)
    if (down.size === 0) break
  }
  if (found.length > 0) await store.write(probeLanes, found)
}

/** Those that wait in no lane, a few of each domain: however many there are, they go to few places. */
function someOf(rows: readonly WaitingRow[]): readonly WaitingRow[] {
  const counts = new Map<string, number>()
  return rows.filter(({ domain, lane }) => {
    const count = counts.get(domain) ?? 0
    if (lane !== null || count === EACH) return false
    counts.set(domain, count + 1)
    return true
  })
}
