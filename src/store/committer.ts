/**
 * The committer's side on the main thread: jobs queue here, go over as one batch, and are settled when
 * the worker says that the batch is durable. One batch is in flight; the next gathers meanwhile, so
 * fsync is paid once for everything that arrived. Called by open.ts.
 *
 * The main thread spends one promise on a job, and one message each way on a batch.
 */
import { giveChunk } from '../wire/chunks.ts'
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import { atEndOfTurn, startThread, type Thread } from '../world/node/thread.ts'
import { type JobResult, runsOf } from './batch.ts'
import { failureOf, storeFailure } from './failure.ts'
import { JobLine, type WaitingJob } from './job-line.ts'
import type { FromCommitter, ThreadData, ToCommitter } from './message.ts'
import { StoreError, type StoreStats } from './store.ts'

interface Job extends WaitingJob {
  readonly writer: string
  readonly moved: readonly ArrayBuffer[]
  readonly resolve: (output: unknown) => void
  readonly reject: (error: Error) => void
}

export interface CommitterOptions {
  readonly thread: ThreadData
  readonly clock: Clock
  readonly log: Log
}

export class Committer {
  readonly #options: CommitterOptions
  #thread: Thread | undefined
  readonly #waiting = new JobLine<Job>()
  #inFlight: readonly Job[] = []
  #flushing = false
  #starting: PromiseWithResolvers<void> | undefined
  #closing: PromiseWithResolvers<void> | undefined
  #commits = 0
  #jobs = 0

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  get stats(): StoreStats {
    return { commits: this.#commits, jobs: this.#jobs }
  }

  /** Starts the worker; rejects if it cannot open the database or load a module. */
  start(): Promise<void> {
    const starting = Promise.withResolvers<void>()
    this.#starting = starting
    const module = new URL('./committer-worker.ts', import.meta.url)
    this.#thread = startThread(module, this.#options.thread, {
      message: message => this.#heard(message as FromCommitter),
      ended: error => this.#ended(error),
    })
    return starting.promise
  }

  /** Queues a job, which works on so many rows of a peer's choice; resolves once it is durable. */
  write(
    writer: string,
    input: unknown,
    moved: readonly ArrayBuffer[],
    rows: number,
  ): Promise<unknown> {
    if (this.#closing !== undefined) {
      return Promise.reject(new StoreError('closed', 'the store is closed'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writer, input, moved, rows, resolve, reject })
      this.#flushSoon()
    })
  }

  /** Commits what waits, then folds the log and ends the thread. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>()
      this.#flushSoon()
    }
    return this.#closing.promise
  }

  #flushSoon(): void {
    if (this.#flushing || this.#inFlight.length > 0) return
    this.#flushing = true
    atEndOfTurn(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#inFlight.length > 0 || this.#starting !== undefined) return
    if (this.#waiting.empty) {
      if (this.#closing !== undefined) this.#endThread()
      return
    }
    if (this.#thread === undefined) {
      // The thread had died; what waits goes to its successor, or fails with it.
      this.start().catch((error: Error) => this.#failWaiting(error))
      return
    }
    this.#inFlight = this.#waiting.take()
    this.#thread.awaited(true)
    try {
      this.#post(this.#inFlight)
    } catch {
      this.#postWithoutBad()
    }
  }

  #post(batch: readonly Job[]): void {
    const now = this.#options.clock.now()
    const moved = [...new Set(batch.flatMap(job => job.moved))]
    const message: ToCommitter = { kind: 'batch', now, runs: runsOf(batch), moved }
    this.#thread?.post(message, moved)
  }

  /** An input that cannot be cloned fails alone. */
  #postWithoutBad(): void {
    const good: Job[] = []
    for (const job of this.#inFlight) {
      try {
        structuredClone(job.input)
        good.push(job)
      } catch (error) {
        job.reject(storeFailure(error))
      }
    }
    this.#inFlight = good
    try {
      if (good.length > 0) this.#post(good)
      else this.#flushSoon()
    } catch (error) {
      this.#failInFlight(storeFailure(error))
    }
  }

  #heard(message: FromCommitter): void {
    switch (message.kind) {
      case 'ready':
        this.#starting?.resolve()
        this.#starting = undefined
        break
      case 'failed':
        this.#starting?.reject(failureOf(message.failure))
        this.#starting = undefined
        this.#thread = undefined
        return
      case 'results':
        for (const buffer of message.moved) giveChunk(new Uint8Array(buffer))
        this.#settle(message.results)
        break
      case 'rolledBack':
        this.#options.log.error('store.rolled_back', {
          jobs: this.#inFlight.length,
          reason: message.failure.reason,
          message: message.failure.message,
        })
        this.#failInFlight(failureOf(message.failure))
        break
    }
    this.#thread?.awaited(false)
    this.#flushSoon()
  }

  #settle(results: readonly JobResult[]): void {
    const batch = this.#inFlight
    this.#inFlight = []
    this.#commits += 1
    this.#jobs += batch.length
    for (const [index, job] of batch.entries()) {
      const result = results[index]
      if (result === undefined) job.reject(new Error('the committer gave no result'))
      else if (result.done) job.resolve(result.output)
      else job.reject(failureOf(result.failure))
    }
  }

  #failInFlight(error: Error): void {
    const batch = this.#inFlight
    this.#inFlight = []
    for (const job of batch) job.reject(error)
    this.#flushSoon()
  }

  #failWaiting(error: Error): void {
    for (const job of this.#waiting.clear()) job.reject(error)
    this.#flushSoon()
  }

  #endThread(): void {
    if (this.#thread === undefined) this.#closing?.resolve()
    else {
      this.#thread.awaited(true)
      this.#thread.post({ kind: 'close' } satisfies ToCommitter)
    }
  }

  /** Whether the batch in flight is stored is in doubt; its callers hear of a failure. */
  #ended(error?: Error): void {
    this.#thread = undefined
    const why = new StoreError(
      'broken',
      `the committer's thread ended: ${error?.message ?? 'closed'}`,
    )
    this.#starting?.reject(why)
    this.#starting = undefined
    if (error !== undefined)
      this.#options.log.error('store.thread_ended', { message: error.message })
    this.#failInFlight(why)
  }
}
