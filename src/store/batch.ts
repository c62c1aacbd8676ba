/**
 * One batch of jobs as one transaction on SQLite: the heart of group commit. Called by the committer's
 * worker thread and, inline, by the memory store.
 *
 * Invariants. A job's result is 'done' only if the transaction that holds its work has been committed
 * with synchronous=FULL. A job that throws leaves nothing behind, and no other job notices: each run of
 * one writer's jobs is tried at once under a SAVEPOINT; if that throws, it is rolled back and its jobs
 * are run again one by one, each under a SAVEPOINT of its own. Jobs run in the order they arrived. If
 * COMMIT fails, or SQLite gives the transaction up by itself (full disk, I/O error), no job is done.
 *
 * A COMMIT that failed while syncing is in doubt: its frames may be in the log file and would come back
 * if the machine stopped before the next commit overwrites them. The caller was told of a failure, so
 * the worst is a duplicate, never a loss.
 */
import type { SqliteConnection } from '../world/node/sqlite.ts'
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
 * transaction as a whole failed. `beforeCommit` is where a test makes it fail.
 */
export async function runBatch(
  connection: SqliteConnection,
  runs: readonly Run<Writer<unknown, unknown>>[],
  now: number,
  beforeCommit?: () => void,
): Promise<JobResult[]> {
  const results: JobResult[] = []
  const tx = new Transaction(connection, now)
  try {
    connection.run('BEGIN IMMEDIATE', [])
    for (const run of runs) await runTogether(connection, tx, run, results)
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

async function runTogether(
  connection: SqliteConnection,
  tx: Transaction,
  { writer, inputs }: Run<Writer<unknown, unknown>>,
  results: JobResult[],
): Promise<void> {
  try {
    for (const output of await underSavepoint(connection, tx, writer, inputs)) {
      results.push({ done: true, output })
    }
  } catch (error) {
    // SQLite rolled the whole transaction back: there is nothing to go on with.
    if (!connection.inTransaction) throw error
    if (inputs.length === 1) {
      results.push({ done: false, failure: failureData(error) })
      return
    }
    for (const input of inputs) {
      await runTogether(connection, tx, { writer, inputs: [input] }, results)
    }
  }
}

async function underSavepoint(
  connection: SqliteConnection,
  tx: Transaction,
  writer: Writer<unknown, unknown>,
  inputs: readonly unknown[],
): Promise<readonly unknown[]> {
  connection.run('SAVEPOINT work', [])
  try {
    const outputs = await writer.run(tx, inputs)
    if (outputs.length !== inputs.length) {
      throw new Error(`writer ${writer.name}: ${outputs.length} outputs, not ${inputs.length}`)
    }
    connection.run('RELEASE work', [])
    return outputs
  } catch (error) {
    if (connection.inTransaction) {
      connection.run('ROLLBACK TO work', [])
      connection.run('RELEASE work', [])
    }
    throw error
  }
}
