/**
 * How many recipients wait, by state, for /metrics. Asked of the store now and then and never waited for: who
 * watches us sees the last numbers at once, and a store that hangs keeps nobody.
 */
import { depth } from '../queue/reader.ts'
import type { Series } from '../record/exposition.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'

/** Counting a million takes the reader thread a while. */
const FRESH_MS = 15_000

/** What to tell just now; the next one is on its way where it is old. */
export function depths(store: Store, clock: Clock): () => readonly Series[] {
  let values: readonly (readonly [string, number])[] = []
  let askedAt = Number.NEGATIVE_INFINITY
  let asking = false
  const ask = async (): Promise<void> => {
    asking = true
    askedAt = clock.monotonic()
    try {
      const rows = await store.read(depth, null)
      values = rows.map(({ state, recipients }) => [`state="${state}"`, recipients])
    } catch {
      // What cannot be counted is not told; /ready says what is wrong.
      values = []
    } finally {
      asking = false
    }
  }
  return () => {
    if (!asking && clock.monotonic() - askedAt >= FRESH_MS) void ask()
    const help = 'Recipients that wait; those in doubt are among the queued'
    return [{ kind: 'gauge', name: 'postrider_queue_recipients', help, values }]
  }
}
