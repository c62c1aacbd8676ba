/**
 * One notice for all that failed together: outcomes that a sender is to hear of wait for each other, a few
 * seconds at most, while other loads of the same message are under way, and are stored by one transaction with
 * one notice. Called by settler.ts.
 *
 * Only what took nobody's mail waits: failures and delays. Its rows stay leased meanwhile, so that a crash finds
 * them as if their outcome had never come: they are tried again. What was taken is stored at once.
 */
import type { Clock, Timer } from '../world/clock.ts'
import type { Job } from './job.ts'

export interface GatheringOptions<Entry> {
  readonly clock: Clock
  /** How long the first outcome waits at most; 0 not at all. */
  readonly waitMs: () => number
  /** How many loads of a message this node carries. */
  readonly inHand: (messageId: string) => number
  /** Stores the outcomes of some loads of one message. */
  readonly store: (entries: readonly Entry[]) => Promise<number | undefined>
}

interface Group<Entry> {
  readonly entries: Entry[]
  readonly jobs: Set<Job>
  readonly stored: PromiseWithResolvers<number | undefined>
  readonly timer: Timer
}

export class Gathering<Entry> {
  readonly #options: GatheringOptions<Entry>
  readonly #groups = new Map<string, Group<Entry>>()
  #hurried = false

  constructor(options: GatheringOptions<Entry>) {
    this.#options = options
  }

  /** Whether outcomes of this load have others to wait for. */
  waits({ message }: Job): boolean {
    if (this.#hurried || this.#options.waitMs() === 0) return false
    return this.#groups.has(message.id) || this.#options.inHand(message.id) > 1
  }

  /** Resolves once they are stored, with others; rejects for all of them as the store does. */
  gather(job: Job, entries: readonly Entry[]): Promise<number | undefined> {
    const { id } = job.message
    const group = this.#groups.get(id) ?? this.#open(id)
    group.entries.push(...entries)
    group.jobs.add(job)
    if (this.#options.inHand(id) <= group.jobs.size) this.#close(id)
    return group.stored.promise
  }

  /** A load of a message came to its end, and nobody is told of it. */
  passed({ message }: Job): void {
    const group = this.#groups.get(message.id)
    // It is in hand until it has been stored, and so still counted.
    if (group && this.#options.inHand(message.id) - 1 <= group.jobs.size) this.#close(message.id)
  }

  /** Nothing waits any more: the node is to stop. */
  hurry(): void {
    this.#hurried = true
    for (const id of [...this.#groups.keys()]) this.#close(id)
  }

  #open(id: string): Group<Entry> {
    const { clock, waitMs } = this.#options
    const timer = clock.after(waitMs(), () => this.#close(id))
    const stored = Promise.withResolvers<number | undefined>()
    const group = { entries: [], jobs: new Set<Job>(), stored, timer }
    this.#groups.set(id, group)
    return group
  }

  #close(id: string): void {
    const group = this.#groups.get(id)
    if (group === undefined) return
    this.#groups.delete(id)
    group.timer.cancel()
    this.#options.store(group.entries).then(group.stored.resolve, group.stored.reject)
  }
}
