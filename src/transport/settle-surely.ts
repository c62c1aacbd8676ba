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

interface Needs {
  readonly settler: Settler
  readonly world: World
}

/** Gives when the worker should look again, if it should. Never rejects. */
export function settleSurely(
  needs: Needs,
  job: Job,
  carried: Carried,
  stopped: () => boolean,
): Promise<number | undefined> {
  return needs.settler
    .settle(job, carried)
    .catch((error: unknown) => settleAgain(needs, job, carried, { stopped, error }))
}

async function settleAgain(
  { settler, world }: Needs,
  job: Job,
  carried: Carried,
  { stopped, error }: { readonly stopped: () => boolean; readonly error: unknown },
): Promise<number | undefined> {
  let failure = error
  for (let againMs = AGAIN_MS; ; againMs = Math.min(againMs * 2, AGAIN_MAX_MS)) {
    world.log.error('queue.settle', { message: job.message.id, error: String(failure) })
    // What the store itself could not do may go later. What the writer refuses (a lease that is held
    // only in part, since another node took the rest over) it refuses for ever: let the lease end.
    if (!(failure instanceof StoreError)) return undefined
    await sleep(world.clock, againMs)
    // The lease ends by itself, or was given back, and the load is carried again.
    if (stopped()) return undefined
    try {
      await settler.settle(job, carried)
      // A commit that failed may be there all the same, with a notice that nobody was told of.
      return world.clock.now()
    } catch (error) {
      failure = error
    }
  }
}
