/**
 * The committer over PostgreSQL: jobs gather while a batch is on its way; each batch is one transaction
 * on a connection that only this writes on, so a sync of the log is paid once for all that arrived
 * meanwhile. Called by open.ts. Never two batches at once: jobs take effect in the order they came.
 *
 * What a caller hears: done, only behind COMMIT; 'busy' where surely nothing was stored; 'broken' where
 * the connection was lost behind COMMIT and no other could be had in time to find out (link.ts). In that
 * doubt the worst is a duplicate, never a loss.
 */
import { giveChunk } from '../../wire/chunks.ts'
import { sleep } from '../../world/clock.ts'
import { atEndOfTurn } from '../../world/node/thread.ts'
import { type JobResult, type Run, runsOf } from '../batch.ts'
import { failureOf } from '../failure.ts'
import { sizeInOctets } from '../size.ts'
import { StoreError, type StoreStats, type Writer } from '../store.ts'
import { type Attempt, runPostgresBatch } from './batch.ts'
import type { Connector } from './connector.ts'
import { isFenced, isWorthAnotherTry, postgresFailure } from './failure.ts'
import { Link } from './link.ts'

type AnyWriter = Writer<unknown, unknown>

interface Job {
  readonly writer: AnyWriter
  readonly input: unknown
  readonly moved: readonly ArrayBuffer[]
  readonly sizeOctets: number
  readonly resolve: (output: unknown) => void
  readonly reject: (error: Error) => void
}

/** A batch's bounds: what is over them waits for the next. */
const batchMaxJobs = 1_024
const batchMaxOctets = 16 * 1024 * 1024
/** Tries of one batch in all, and how long a batch waits for a server that is not there. */
const triesMax = 8
const patienceMs = 10_000
/** Behind a connection that stood and could not be used: a standby, a server that goes down. */
const restMs = 100

export class PostgresCommitter {
  readonly #connector: Connector
  #link: Link | undefined
  #waiting: Job[] = []
  #working = false
  #closing: PromiseWithResolvers<void> | undefined
  #commits = 0
  #jobs = 0

  constructor(connector: Connector) {
    this.#connector = connector
  }

  get stats(): StoreStats {
    return { commits: this.#commits, jobs: this.#jobs }
  }

  /** Connects, so that a server that cannot be had shows at the start. */
  async start(): Promise<void> {
    this.#link = await Link.open(this.#connector, patienceMs)
  }

  /** Queues a job; resolves once it is durable. */
  write(writer: AnyWriter, given: unknown, lent: readonly ArrayBuffer[]): Promise<unknown> {
    if (this.#closing !== undefined) {
      return Promise.reject(new StoreError('closed', 'the store is closed'))
    }
    return new Promise((resolve, reject) => {
      // The caller's octets stay his, and a writer proven here works in a thread: as on SQLite.
      const [input, moved] = structuredClone([given, lent] as const, { transfer: [...lent] })
      this.#waiting.push({ writer, input, moved, sizeOctets: sizeInOctets(input), resolve, reject })
      this.#workSoon()
    })
  }

  /** Commits what waits, then says goodbye to the server. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>()
      this.#workSoon()
    }
    return this.#closing.promise
  }

  #workSoon(): void {
    if (this.#working) return
    this.#working = true
    atEndOfTurn(() => void this.#work())
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#take())
    this.#working = false
    if (this.#closing === undefined) return
    await this.#link?.close()
    this.#closing.resolve()
  }

  /** The next batch off the queue: at least one job. */
  #take(): Job[] {
    let count = 0
    let octets = 0
    for (const job of this.#waiting) {
      octets += job.sizeOctets
      if (count === batchMaxJobs || (octets > batchMaxOctets && count > 0)) break
      count++
    }
    const batch = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    return batch
  }

  async #commit(batch: readonly Job[]): Promise<void> {
    try {
      const results = await this.#results(runsOf(batch))
      this.#commits += 1
      this.#jobs += batch.length
      for (const { moved } of batch) for (const buffer of moved) giveChunk(new Uint8Array(buffer))
      for (const [index, job] of batch.entries()) settle(job, results[index])
    } catch (error) {
      const failure = postgresFailure(error)
      const { log } = this.#connector.options
      log.error('store.rolled_back', { jobs: batch.length, message: failure.message })
      for (const job of batch) job.reject(failure)
    }
  }

  /** Tries until the batch is committed, or has failed for good with nothing stored, or is in doubt. */
  async #results(runs: readonly Run<AnyWriter>[]): Promise<readonly JobResult[]> {
    const { clock, random, log } = this.#connector.options
    for (let tries = 1; ; tries++) {
      this.#link ??= await this.#linked()
      const link = this.#link
      const attempt: Attempt = { results: undefined }
      try {
        return await runPostgresBatch(link, runs, attempt)
      } catch (error) {
        log.debug('store.again', { tries, error: String(error) })
        if (link.connection.lost !== undefined) {
          this.#link = undefined
          if ((await this.#committed(link, attempt)) && attempt.results) return attempt.results
          if (tries >= triesMax)
            throw new StoreError('busy', `no batch came through: ${String(error)}`)
        } else if (tries >= triesMax) throw error
        else if (isFenced(error)) {
          this.#link = undefined
          link.connection.destroy(new Error('fenced'))
        } else if (isWorthAnotherTry(error)) {
          // Chance keeps two nodes that locked each other out from doing so again.
          await sleep(clock, random.below(10 * 2 ** Math.min(tries, 6)))
        } else throw error
      }
    }
  }

  /** A connection that can write. Throws StoreError where there is none in time: surely nothing was stored. */
  async #linked(): Promise<Link> {
    const { clock } = this.#connector.options
    const until = clock.monotonic() + patienceMs
    for (;;) {
      try {
        return await Link.open(this.#connector, Math.max(0, until - clock.monotonic()))
      } catch (error) {
        if (error instanceof StoreError) throw error
        if (clock.monotonic() >= until) throw unlinked(error)
        await sleep(clock, restMs)
      }
    }
  }

  /** Behind a lost connection: whether its last batch was committed after all. Throws where nobody knows. */
  async #committed(lost: Link, { results }: Attempt): Promise<boolean> {
    const { clock } = this.#connector.options
    const until = clock.monotonic() + patienceMs
    for (;;) {
      try {
        const left = Math.max(0, until - clock.monotonic())
        this.#link = await Link.open(this.#connector, left)
        const batch = await this.#link.fence(lost)
        this.#link.forget(lost)
        return batch === lost.batch
      } catch (error) {
        this.#link?.connection.destroy(new Error('could not fence'))
        this.#link = undefined
        if (clock.monotonic() < until && !(error instanceof StoreError)) {
          await sleep(clock, restMs)
          continue
        }
        const why = error instanceof Error ? error.message : String(error)
        if (results === undefined) throw new StoreError('busy', why)
        throw new StoreError('broken', `the answer to COMMIT was lost: ${why}`)
      }
    }
  }
}

/** A connection that was lost before it was ready has no SQLSTATE, and is nobody's bug all the same. */
function unlinked(error: unknown): StoreError {
  const failure = postgresFailure(error)
  return failure instanceof StoreError ? failure : new StoreError('busy', failure.message)
}

/** An output that cannot be cloned is its writer's bug; its neighbours' answers still arrive. */
function settle(job: Job, result: JobResult | undefined): void {
  if (result === undefined) job.reject(new Error('the committer gave no result'))
  else if (!result.done) job.reject(failureOf(result.failure))
  else {
    try {
      const { output } = result
      job.resolve(typeof output === 'object' ? structuredClone(output) : output)
    } catch (error) {
      job.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
