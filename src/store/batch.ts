/**
 * One batch of jobs as one transaction: the heart of group commit. `runBatch` is SQLite's, called by the
 * committer's worker thread and, inline, by the memory store; `runEach` is shared with postgres/batch.ts.
 *
 * Invariants. A job's result is 'done' only if the transaction that holds its work has been committed
 * with synchronous=FULL. A job that throws leaves nothing behind, and no other job notices: a batch is
 * tried plainly; if a writer throws, all is rolled back and begun again, each run of one writer's jobs
 * under a SAVEPOINT, and where that throws its jobs one by one, each under a SAVEPOINT of its own. Jobs
 * run in the order they arrived. If COMMIT fails, or SQLite gives the transaction up by itself (full disk,
 * I/O error), no job is done.
 *
 * A COMMIT that failed while syncing is in doubt: its frames may be in the log file and would come back
 * if the machine stopped before the next commit overwrites them. The caller was told of a failure, so
 * the worst is a duplicate, never a loss.
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
import type { Write } from '../world/sql.ts'
import { type FailureData, failureData } from './failure.ts'
import type { Writer } from './store.ts'
import { Transaction } from './transaction.ts'

/** Neighbours in the queue that one writer takes together. */
export interface Run<Named> {
  readonly writer: Named
  readonly inputs: unknown[]
}

export type JobResult =
  | { readonly done: true; readonly output: unknown }
  | { readonly done: false; readonly failure: FailureData }

/** Gathers neighbours of the same writer, in the order they arrived. */
export function runsOf<Named>(
  jobs: readonly { readonly writer: Named; readonly input: unknown }[],
): Run<Named>[] {
  const runs: Run<Named>[] = []
  for (const { writer, input } of jobs) {
    const last = runs.at(-1)
    if (last?.writer === writer) last.inputs.push(input)
    else runs.push({ writer, inputs: [input] })
  }
  return runs
}

/**
 * Runs the jobs and commits; gives one result for each job, in order. Throws, with nothing done, if the
 * transaction as a whole failed. `beforeCommit` is the last to write in it (commit-count.ts), and where a test
 * makes it fail.
 */
export async function runBatch(
  connection: SqliteConnection,
  runs: readonly Run<Writer<unknown, unknown>>[],
  now: number,
  beforeCommit?: () => void,
): Promise<JobResult[]> {
  const tx = new Transaction(connection, now)
  try {
    connection.run('BEGIN IMMEDIATE', [])
    const results = (await plainly(connection, tx, runs)) ?? (await carefully(connection, tx, runs))
    beforeCommit?.()
    connection.run('COMMIT', [])
    return results
  } catch (error) {
    if (connection.inTransaction) connection.run('ROLLBACK', [])
    throw error
  } finally {
    tx.end()
  }
}

/**
 * All runs without a SAVEPOINT, which costs a copy of every page that is changed; undefined, and a fresh
 * transaction, where a writer threw.
 */
async function plainly(
  connection: SqliteConnection,
  tx: Write,
  runs: readonly Run<Writer<unknown, unknown>>[],
): Promise<JobResult[] | undefined> {
  const results: JobResult[] = []
  try {
    for (const { writer, inputs } of runs) {
      for (const output of await outputsOf(tx, writer, inputs)) results.push({ done: true, output })
    }
    return results
  } catch (error) {
    // SQLite rolls a whole transaction back by itself where the disk fails: then nothing can go on.
    if (!connection.inTransaction) throw error
    connection.run('ROLLBACK', [])
    connection.run('BEGIN IMMEDIATE', [])
    return undefined
  }
}

async function carefully(
  connection: SqliteConnection,
  tx: Write,
  runs: readonly Run<Writer<unknown, unknown>>[],
): Promise<JobResult[]> {
  const results: JobResult[] = []
  const points: Savepoints = {
    control: sql => connection.run(sql, []),
    stands: () => connection.inTransaction,
    failure: failureData,
  }
  for (const run of runs) await runEach(points, tx, run, results)
  return results
}

/** What marks a place in a transaction to come back to. */
export interface Savepoints {
  /** Runs a SAVEPOINT, RELEASE or ROLLBACK TO. */
  control(sql: string): unknown
  /** Whether the transaction still stands behind this error; where not, nothing can go on. */
  stands(error: unknown): boolean
  /** The error as its job hears it. */
  failure(error: unknown): FailureData
}

/**
 * Runs the inputs of one writer together; where that throws, undoes it and runs them one by one. Adds a
 * result for each. Throws only where the transaction itself is gone.
 */
export async function runEach(
  points: Savepoints,
  tx: Write,
  { writer, inputs }: Run<Writer<unknown, unknown>>,
  results: JobResult[],
): Promise<void> {
  try {
    for (const output of await underSavepoint(points, tx, writer, inputs)) {
      results.push({ done: true, output })
    }
  } catch (error) {
    if (!points.stands(error)) throw error
    if (inputs.length === 1) {
      results.push({ done: false, failure: points.failure(error) })
      return
    }
    for (const input of inputs) await runEach(points, tx, { writer, inputs: [input] }, results)
  }
}

async function underSavepoint(
  points: Savepoints,
  tx: Write,
  writer: Writer<unknown, unknown>,
  inputs: readonly unknown[],
): Promise<readonly unknown[]> {
  await points.control('SAVEPOINT work')
  try {
    const outputs = await outputsOf(tx, writer, inputs)
    await points.control('RELEASE work')
    return outputs
  } catch (error) {
    if (points.stands(error)) {
      await points.control('ROLLBACK TO work')
      await points.control('RELEASE work')
    }
    throw error
  }
}

/** Runs a writer; one that gives too few or too many outputs has a bug that its callers must not bear. */
export async function outputsOf(
  tx: Write,
  writer: Writer<unknown, unknown>,
  inputs: readonly unknown[],
): Promise<readonly unknown[]> {
  const outputs = await writer.run(tx, inputs)
  if (outputs.length !== inputs.length) {
    throw new Error(`writer ${writer.name}: ${outputs.length} outputs, not ${inputs.length}`)
  }
  return outputs
}
