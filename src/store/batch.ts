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

export interface Job {
  readonly writer: Writer<unknown, unknown>
  readonly input: unknown
}

export type JobResult =
  | { readonly done: true; readonly output: unknown }
  | { readonly done: false; readonly failure: FailureData }

/** Points where a test makes the world fail; a real store has none. */
export interface BatchFaults {
  beforeCommit(): void
}

/** Runs the jobs and commits. Throws, with nothing done, if the transaction as a whole failed. */
export async function runBatch(
  connection: SqliteConnection,
  jobs: readonly Job[],
  now: number,
  faults?: BatchFaults,
): Promise<JobResult[]> {
  const results: JobResult[] = []
  const tx = new Transaction(connection, now)
  try {
    connection.run('BEGIN IMMEDIATE', [])
    for (let from = 0; from < jobs.length; ) {
      const to = endOfRun(jobs, from)
      await runGroup(connection, tx, jobs.slice(from, to), results)
      from = to
    }
    faults?.beforeCommit()
    connection.run('COMMIT', [])
    return results
  } catch (error) {
    if (connection.inTransaction) connection.run('ROLLBACK', [])
    throw error
  } finally {
    tx.end()
  }
}

/** The index behind the last of the neighbours that `jobs[from]`'s writer takes together. */
function endOfRun(jobs: readonly Job[], from: number): number {
  let to = from + 1
  while (to < jobs.length && jobs[to]?.writer === jobs[from]?.writer) to++
  return to
}

async function runGroup(
  connection: SqliteConnection,
  tx: Transaction,
  group: readonly Job[],
  results: JobResult[],
): Promise<void> {
  try {
    for (const output of await underSavepoint(connection, tx, group)) {
      results.push({ done: true, output })
    }
  } catch (error) {
    // SQLite rolled the whole transaction back: there is nothing to go on with.
    if (!connection.inTransaction) throw error
    if (group.length === 1) {
      results.push({ done: false, failure: failureData(error) })
      return
    }
    for (const job of group) await runGroup(connection, tx, [job], results)
  }
}

async function underSavepoint(
  connection: SqliteConnection,
  tx: Transaction,
  group: readonly Job[],
): Promise<readonly unknown[]> {
  const writer = (group[0] as Job).writer
  connection.run('SAVEPOINT work', [])
  try {
    const outputs = await writer.run(
      tx,
      group.map(job => job.input),
    )
    if (outputs.length !== group.length) {
      throw new Error(`writer ${writer.name}: ${outputs.length} outputs, not ${group.length}`)
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
