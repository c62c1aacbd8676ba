/**
 * The loads this node has in hand; their leases are renewed as long as there are any. Kept by transport/worker.ts.
 *
 * They stand in an array, each in a place that is used again, and in no Set: V8 leaves a Set's old table behind when
 * it makes a new one, with all that was in it, and what an old object points to lives until the whole heap is
 * collected. A fifth of all loads outlived their messages so, and each collection of what is young copied them.
 */
import { renew } from '../queue/writer.ts'
import type { Store } from '../store/store.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import type { Job } from './job.ts'
import type { Carried } from './transport.ts'

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
  readonly #jobs: (Job | undefined)[] = []
  readonly #free: number[] = []
  /** Of each place: until when (monotonic ms) its lease surely stands, if our clock goes as fast as the store's. */
  readonly #untilMs: number[] = []
  #renewal: Timer | undefined
  #stopped = false

  constructor(options: InHandOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#jobs.length - this.#free.length
  }

  /** Gives its place. */
  add(job: Job): number {
    const { leaseMs, world } = this.#options
    const place = this.#free.pop() ?? this.#jobs.length
    this.#jobs[place] = job
    this.#untilMs[place] = (job.rows[0]?.leasedMs ?? world.clock.monotonic()) + leaseMs
    if (this.#renewal === undefined) this.#renewLater()
    return place
  }

  delete(place: number): void {
    this.#jobs[place] = undefined
    this.#free.push(place)
  }

  /**
   * Whether the lease of a place may have ended, since we were stopped or the store out of reach: another node may carry
   * the load by now, and may have done so. That stays so, whatever is renewed later.
   */
  lapsed(place: number): boolean {
    return this.#options.world.clock.monotonic() >= (this.#untilMs[place] ?? 0)
  }

  /**
   * Whether what came of a load is not ours to tell: its lease had ended, and nobody has heard its end from us. Whoever
   * has it now settles it, and if that is nobody, anybody may claim it.
   */
  isMoot(place: number, { outcomes }: Carried): boolean {
    if (this.#options.store.alone || !this.lapsed(place)) return false
    return outcomes.every(outcome => outcome.kind === 'deferred' && !outcome.inDoubt)
  }

  /** How many loads of a message there are. */
  of(messageId: string): number {
    let count = 0
    for (const job of this.#jobs) if (job?.message.id === messageId) count++
    return count
  }

  /** Each row as its message's id and its number. */
  rows(): Set<string> {
    const rows = new Set<string>()
    for (const { messageId, n } of this.#rows()) rows.add(`${messageId} ${n}`)
    return rows
  }

  /** Renews nothing more: what is not settled is given back. */
  stop(): void {
    this.#stopped = true
    this.#renewal?.cancel()
  }

  #rows(): { readonly messageId: string; readonly n: number }[] {
    return this.#jobs.flatMap(job => {
      if (job === undefined) return []
      return job.rows.map(({ n }) => ({ messageId: job.message.id, n }))
    })
  }

  /** What stood until now was surely lengthened: the store's answer came before its end. */
  #renewed(jobs: readonly (Job | undefined)[], untilMs: number): void {
    for (const [place, job] of jobs.entries()) {
      const same = job !== undefined && this.#jobs[place] === job
      if (same && !this.lapsed(place)) this.#untilMs[place] = untilMs
    }
  }

  #renewLater(): void {
    const { world, leaseMs, node, store, also } = this.#options
    this.#renewal = world.clock.after(RENEW_MS, () => {
      this.#renewal = undefined
      if (this.#stopped || this.size === 0) return
      const rows = this.#rows()
      const sent = { jobs: [...this.#jobs], untilMs: world.clock.monotonic() + leaseMs }
      this.#renewLater()
      store
        .write(renew, { node, leaseMs, rows })
        .then(() => this.#renewed(sent.jobs, sent.untilMs))
        .then(also)
        .catch((error: unknown) => world.log.warn('queue.renew', { error: String(error) }))
    })
  }
}
