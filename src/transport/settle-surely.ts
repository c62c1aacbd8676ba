/**
 * Stores an outcome, however long the store cannot take it. Used by transport/worker.ts, which renews the
 * leases meanwhile: an outcome is not forgotten, since to carry the load again would make a copy each time.
 */
import { StoreError } from '../store/store.ts'
import { sleep } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import type { Job } from './job.ts'
import type { Settler } from './settler.ts'
import type { Carried } from './transport.ts'

/** An outcome that could not be stored is tried again after a second, then ever more slowly. */
const AGAIN_MS = 1000
const AGAIN_MAX_MS = 60_000

/** Gives when the worker should look again, if it should. Never rejects. */
export async function settleSurely(
  { settler, world }: { readonly settler: Settler; readonly world: World },
  job: Job,
  carried: Carried,
  stopped: () => boolean,
): Promise<number | undefined> {
  for (let againMs = AGAIN_MS; ; againMs = Math.min(againMs * 2, AGAIN_MAX_MS)) {
    try {
      const dueAt = await settler.settle(job, carried)
      // A commit that failed may be there all the same, with a notice that nobody was told of.
      return againMs > AGAIN_MS ? world.clock.now() : dueAt
    } catch (error) {
      world.log.error('queue.settle', { message: job.message.id, error: String(error) })
      // What the store itself could not do may go later. What the writer refuses (a lease that is held
      // only in part, since another node took the rest over) it refuses for ever: let the lease end.
      if (!(error instanceof StoreError)) return undefined
      await sleep(world.clock, againMs)
      // The lease ends by itself, or was given back, and the load is carried again.
      if (stopped()) return undefined
    }
  }
}
