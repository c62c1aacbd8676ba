/**
 * One batch of jobs as one transaction on PostgreSQL. Called by committer.ts.
 *
 * First all runs together without savepoints, every statement sent as soon as it is known: a batch of
 * accepts is one round trip and one sync of the log. Where anything fails, all of it is rolled back and
 * the jobs run again as they do on SQLite (../batch.ts): a run of one writer under a savepoint, then its
 * items one by one, so that only what is bad fails.
 */
import type { PostgresConnection } from '../../world/node/postgres.ts'
import { type JobResult, outputsOf, type Run, runEach } from '../batch.ts'
import { failureData } from '../failure.ts'
import type { Writer } from '../store.ts'
import { isFenced, isLate, isWorthAnotherTry, postgresFailure } from './failure.ts'
import type { Link } from './link.ts'
import { PostgresTransaction } from './transaction.ts'

type Runs = readonly Run<Writer<unknown, unknown>>[]

/** What became of a batch whose connection was lost: its results, where COMMIT was on its way. */
export interface Attempt {
  results: readonly JobResult[] | undefined
}

const BEGIN = { sql: 'BEGIN', values: [], key: 'begin' }
const COMMIT = { sql: 'COMMIT', values: [], key: 'commit' }
const ROLLBACK = { sql: 'ROLLBACK', values: [], key: 'rollback' }
/** Where all together have waited for a lock in vain, each by itself waits no more than this, else hundreds took an hour. */
const HURRY = { sql: 'SET LOCAL lock_timeout = 50', values: [], key: 'hurry' }

/**
 * Runs and commits; one result for each job, in order. Throws with nothing done, but where the connection
 * is lost: then `attempt.results` says what is true if the COMMIT came through.
 */
export async function runPostgresBatch(
  link: Link,
  runs: Runs,
  attempt: Attempt,
): Promise<readonly JobResult[]> {
  try {
    return await transaction(link, attempt, tx => together(tx, runs))
  } catch (error) {
    if (link.connection.lost !== undefined || concernsAll(error)) throw error
    const [first] = runs
    if (runs.length === 1 && first?.inputs.length === 1) {
      return [{ done: false, failure: failureData(postgresFailure(error)) }]
    }
    return transaction(link, attempt, tx => {
      if (isLate(error)) tx.send(HURRY)
      return oneByOne(link.connection, tx, runs)
    })
  }
}

async function transaction(
  link: Link,
  attempt: Attempt,
  work: (tx: PostgresTransaction) => Promise<JobResult[]>,
): Promise<readonly JobResult[]> {
  const { connection } = link
  attempt.results = undefined
  const tx = new PostgresTransaction(connection)
  tx.send(BEGIN)
  tx.send(link.mark())
  try {
    const results = await work(tx)
    attempt.results = results
    // On its way behind what `many` has sent: if any of that failed, the server rolls back instead.
    const committed = connection.query(COMMIT)
    const [, { command }] = await Promise.all([tx.settled(), committed])
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back')
    return results
  } catch (error) {
    if (connection.lost === undefined) await connection.query(ROLLBACK).catch(() => {})
    throw error
  } finally {
    tx.end()
  }
}

async function together(tx: PostgresTransaction, runs: Runs): Promise<JobResult[]> {
  const results: JobResult[] = []
  for (const { writer, inputs } of runs) {
    for (const output of await outputsOf(tx, writer, inputs)) results.push({ done: true, output })
  }
  return results
}

async function oneByOne(
  connection: PostgresConnection,
  tx: PostgresTransaction,
  runs: Runs,
): Promise<JobResult[]> {
  const results: JobResult[] = []
  const points = {
    async control(sql: string) {
      if (sql.startsWith('ROLLBACK')) await tx.forget()
      else await tx.settled()
      await connection.query({ sql, values: [], key: sql })
    },
    stands: (error: unknown) => connection.lost === undefined && !concernsAll(error),
    failure: (error: unknown) => failureData(postgresFailure(error)),
  }
  for (const run of runs) await runEach(points, tx, run, results)
  return results
}

/** Whether the error says nothing of any one job: the batch as a whole is tried again, or fails. */
function concernsAll(error: unknown): boolean {
  return isWorthAnotherTry(error) || isFenced(error)
}
