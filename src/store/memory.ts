/**
 * The store in memory: SQLite's ':memory:', its committer inline and without threads. Unit tests and
 * world/sim run on it, so it is deterministic: calls run one after the other in the order they were
 * made, writes that stand together form one transaction. Its atomic commit is an axiom; a test makes
 * it fail with `fail`, and stops the machine with `crash`. Inputs and outputs are cloned as they would
 * be on their way to a thread, so that a writer proven here works there.
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
import type { Read } from '../world/sql.ts'
import { type JobResult, runBatch, runsOf } from './batch.ts'
import { type Finding, findings, type StagedFile } from './check.ts'
import { failureOf, storeFailure } from './failure.ts'
import { newDatabase } from './memory-schema.ts'
import { type Reader, type Store, StoreError, type StoreStats, type Writer } from './store.ts'
import { Topics } from './topics.ts'
import { Transaction } from './transaction.ts'

export interface MemoryOptions {
  /** The world's wall clock, ms since the epoch; stands still at the start of 2026 if not given. */
  readonly now?: () => number
  /**
   * Asked before each commit that changes something, counted from 1 over all lives of the machine;
   * the fault it answers happens to that batch. What `fail` was told comes first.
   */
  readonly faultAt?: (commit: number) => MemoryFault | undefined
  /** Told after each such commit and before anybody has its answer; may look at what stands now. */
  readonly committed?: (tx: Read, commit: number) => Promise<void>
  /** Told when a fault has stopped the machine. */
  readonly stopped?: () => void
}

/**
 * One failure of the next batch of writes. Before the commit nothing of it is stored; after the commit
 * and before the answer all of it is. 'crash' stops the store as `crash` does.
 */
export interface MemoryFault {
  readonly at: 'before commit' | 'after commit'
  readonly how: 'full' | 'busy' | 'broken' | 'crash'
}

interface Job {
  readonly writer: Writer<unknown, unknown>
  readonly input: unknown
}

interface Call {
  readonly job: Job | undefined
  readonly reader: Reader<unknown, unknown> | undefined
  readonly input: unknown
  readonly resolve: (output: unknown) => void
  readonly reject: (error: Error) => void
}

const start2026 = Date.UTC(2026, 0, 1)

/** Opens an empty store in memory, its schema in place. */
export async function openMemoryStore(options: MemoryOptions = {}): Promise<MemoryStore> {
  const now = options.now ?? (() => start2026)
  return new MemoryStore(newDatabase(now()), { ...options, now }, { commits: 0 })
}

export class MemoryStore implements Store {
  readonly alone = true
  readonly #topics = new Topics()
  readonly #connection: SqliteConnection
  readonly #options: MemoryOptions & { readonly now: () => number }
  readonly #count: { commits: number }
  readonly #calls: Call[] = []
  readonly #faults: MemoryFault[] = []
  #state: 'open' | 'closed' | 'crashed' = 'open'
  #draining: Promise<void> | undefined
  #commits = 0
  #jobs = 0

  /** Use `openMemoryStore`. */
  constructor(
    connection: SqliteConnection,
    options: MemoryOptions & { readonly now: () => number },
    count: { commits: number },
  ) {
    this.#connection = connection
    this.#options = options
    this.#count = count
  }

  /** Commits that changed something so far, those of earlier lives included. */
  get changes(): number {
    return this.#count.commits
  }

  read<Input, Output>(reader: Reader<Input, Output>, input: Input): Promise<Output> {
    return this.#call({ job: undefined, reader: reader as Reader<unknown, unknown> }, input)
  }

  async write<Input, Output>(
    writer: Writer<Input, Output>,
    input: Input,
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Output> {
    // The erased type: the batch gives each writer only the inputs that came with it.
    const erased = writer as unknown as Writer<unknown, unknown>
    const job = { writer: erased, input: cloned(input, moved) }
    return this.#call({ job, reader: undefined }, undefined)
  }

  /** Waits for what was called before, then gives the memory back. */
  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await this.#draining
    this.#connection.close()
  }

  slot(): number {
    return 0
  }

  wake(topic: string): void {
    this.#topics.wake(topic)
  }

  onWake(listen: (topic: string) => void): () => void {
    return this.#topics.onWake(listen)
  }

  stats(): StoreStats {
    return { commits: this.#commits, jobs: this.#jobs }
  }

  /** Makes the next batch of writes fail; several faults wait for a batch each. */
  fail(fault: MemoryFault): void {
    this.#faults.push(fault)
  }

  /** The machine stops: no call that is open, and none that comes, ever settles. */
  crash(): void {
    this.#state = 'crashed'
    this.#calls.length = 0
  }

  /** The machine starts again: a new store on what was committed. Crashes this one if it was not. */
  async restart(): Promise<MemoryStore> {
    this.crash()
    await this.#draining
    return new MemoryStore(this.#connection, this.#options, this.#count)
  }

  /** Every broken invariant; see check.ts. */
  check(staged?: readonly StagedFile[]): Promise<readonly Finding[]> {
    return findings(this, staged)
  }

  #call<Output>(what: Pick<Call, 'job' | 'reader'>, input: unknown): Promise<Output> {
    if (this.#state === 'crashed') return new Promise(() => {})
    if (this.#state === 'closed') {
      return Promise.reject(new StoreError('closed', 'the store is closed'))
    }
    return new Promise<Output>((resolve, reject) => {
      const settle = resolve as (output: unknown) => void
      this.#calls.push({ ...what, input, resolve: settle, reject })
      this.#draining ??= this.#drain()
    })
  }

  async #drain(): Promise<void> {
    // What is called in the same turn of the program gathers first.
    await Promise.resolve()
    while (this.#calls.length > 0) {
      const first = this.#calls[0] as Call
      if (first.reader !== undefined) {
        this.#calls.shift()
        await this.#read(first, first.reader)
      } else {
        const end = this.#calls.findIndex(call => call.job === undefined)
        await this.#commit(this.#calls.splice(0, end < 0 ? this.#calls.length : end))
      }
    }
    this.#draining = undefined
  }

  async #read(call: Call, reader: Reader<unknown, unknown>): Promise<void> {
    const tx = new Transaction(this.#connection, this.#options.now())
    try {
      const output = cloned(await reader.run(tx, cloned(call.input)))
      if (this.#state !== 'crashed') call.resolve(output)
    } catch (error) {
      if (this.#state !== 'crashed') call.reject(storeFailure(error))
    } finally {
      tx.end()
    }
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    const told = this.#faults.shift()
    const { now } = this.#options
    const before = this.#changes()
    let fault = told
    let commit = 0
    try {
      const jobs = calls.map(call => call.job as Job)
      const results = await runBatch(this.#connection, runsOf(jobs), now(), () => {
        // A crash from outside while the writers ran: what was not committed is gone.
        if (this.#state === 'crashed') throw new Error('the machine stopped')
        if (this.#changes() > before) {
          commit = ++this.#count.commits
          fault ??= this.#options.faultAt?.(commit)
        }
        if (fault?.at === 'before commit') this.#fail(fault)
      })
      this.#commits += 1
      this.#jobs += jobs.length
      if (commit > 0) await this.#look(commit)
      if (fault?.at === 'after commit') this.#fail(fault)
      if (this.#state === 'crashed') return
      for (const [index, call] of calls.entries()) settle(call, results[index] as JobResult)
    } catch (error) {
      if (this.#state === 'crashed') return
      for (const call of calls) call.reject(storeFailure(error))
    }
  }

  /** Rows that this connection ever changed. */
  #changes(): number {
    const row = this.#connection.get<{ rows: number }>('SELECT total_changes() AS rows', [])
    return Number(row?.rows ?? 0)
  }

  async #look(commit: number): Promise<void> {
    if (this.#options.committed === undefined) return
    const tx = new Transaction(this.#connection, this.#options.now())
    await this.#options.committed(tx, commit)
    tx.end()
  }

  #fail(fault: MemoryFault): never {
    if (fault.how === 'crash') {
      this.crash()
      this.#options.stopped?.()
      throw new Error('the machine stopped')
    }
    throw new StoreError(fault.how, `made to fail ${fault.at}`)
  }
}

function settle(call: Call, result: JobResult): void {
  if (!result.done) {
    call.reject(failureOf(result.failure))
    return
  }
  try {
    call.resolve(cloned(result.output))
  } catch (error) {
    call.reject(storeFailure(error))
  }
}

/** What would come out on the other side. A word, a number or nothing is its own clone, and most inputs are that. */
function cloned<T>(value: T, moved: readonly ArrayBuffer[] = []): T {
  if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value))
    return value
  return structuredClone(value, { transfer: [...moved] })
}
