/** The loads this node has in hand; their leases are renewed as long as there are any. Kept by transport/worker.ts. */
import { renew } from '../queue/writer.ts'
import type { Store } from '../store/store.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import type { Job } from './job.ts'

export interface InHandOptions {
  readonly world: World
  readonly store: Store
  readonly node: string
  readonly leaseMs: number
  /** What else is renewed with them. */
  readonly also: () => Promise<void>
}

const RENEW_MS = 15_000

export class InHand {
  readonly #options: InHandOptions
  readonly #jobs = new Set<Job>()
  #renewal: Timer | undefined
  #stopped = false

  constructor(options: InHandOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#jobs.size
  }

  add(job: Job): void {
    this.#jobs.add(job)
    if (this.#renewal === undefined) this.#renewLater()
  }

  delete(job: Job): void {
    this.#jobs.delete(job)
  }

  /** How many loads of a message there are. */
  of(messageId: string): number {
    let count = 0
    for (const { message } of this.#jobs) if (message.id === messageId) count++
    return count
  }

  /** Each row as its message's id and its number. */
  rows(): Set<string> {
    const rows = new Set<string>()
    for (const job of this.#jobs) for (const { n } of job.rows) rows.add(`${job.message.id} ${n}`)
    return rows
  }

  /** Renews nothing more: what is not settled is given back. */
  stop(): void {
    this.#stopped = true
    this.#renewal?.cancel()
  }

  #renewLater(): void {
    const { world, leaseMs, node, store, also } = this.#options
    this.#renewal = world.clock.after(RENEW_MS, () => {
      this.#renewal = undefined
      if (this.#stopped || this.#jobs.size === 0) return
      const rows = [...this.#jobs].flatMap(job =>
        job.rows.map(row => ({ messageId: job.message.id, n: row.n })),
      )
      this.#renewLater()
      store
        .write(renew, { node, leaseMs, rows })
        .then(also)
        .catch((error: unknown) => world.log.warn('queue.renew', { error: String(error) }))
    })
  }
}
