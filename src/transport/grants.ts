/**
 * Takes batch after batch of a rate (shape/rate.ts) for the lanes in which rows wait for one. Used by
 * transport/lanes.ts.
 */
import { grantBatch } from '../queue/lane.ts'
import type { Limits } from '../shape/limits.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world/world.ts'

export interface GrantsOptions {
  readonly world: World
  readonly store: Store
  readonly limits: Limits
  /** Begins as many rows of a lane as it has tokens. */
  readonly drain: (lane: string) => void
  /** Whether rows still wait there. */
  readonly wanted: (lane: string) => boolean
}

/** After a store that could not answer. */
const AGAIN_MS = 1000

export class Grants {
  readonly #options: GrantsOptions
  readonly #running = new Set<string>()

  constructor(options: GrantsOptions) {
    this.#options = options
  }

  /** Whether the next batch of a lane is waited for. */
  has(lane: string): boolean {
    return this.#running.has(lane)
  }

  /** Asks for a batch, and for the next one when its time comes, as long as one is wanted. */
  begin(lane: string): void {
    const { drain, limits, store, wanted, world } = this.#options
    const batch = limits.batch(lane)
    if (batch === undefined || this.#running.has(lane)) return
    this.#running.add(lane)
    const askedMs = world.clock.monotonic()
    const again = (ms: number) => {
      world.clock.after(ms, () => {
        this.#running.delete(lane)
        if (wanted(lane)) this.begin(lane)
      })
    }
    store.write(grantBatch, { name: lane, everyMs: batch.everyMs }).then(
      ({ waitMs }) => {
        if (waitMs > 0) return again(waitMs)
        // What was granted is good from when it was asked for: never longer than the store thinks.
        limits.granted(lane, batch.tokens, askedMs + batch.validMs)
        drain(lane)
        again(batch.everyMs)
      },
      (error: unknown) => {
        world.log.warn('queue.lane', { lane, error: String(error) })
        again(AGAIN_MS)
      },
    )
  }
}
