/**
 * The committer's thread: owns the only connection that writes. Gets one batch at a time, answers when
 * it is durable. Started by committer.ts; never does anything of its own accord.
 */
import { DatabaseFiles } from '../world/node/database-files.ts'
import { forgetCompiled, spareYoungAtRest } from '../world/node/spare.ts'
import type { SqliteConnection } from '../world/node/sqlite.ts'
import { here } from '../world/node/thread.ts'
import { type JobResult, runBatch } from './batch.ts'
import { CommitCount } from './commit-count.ts'
import { openWriting } from './connect.ts'
import { type FailureData, failureData } from './failure.ts'
import type { FromCommitter, ThreadData, ToCommitter } from './message.ts'
import { loadNamed, type Named } from './modules.ts'
import { StoreError, type Writer } from './store.ts'

type Batch = Extract<ToCommitter, { kind: 'batch' }>

const thread = here()
const { path, modules, maxPages } = thread.data as ThreadData

function answer(message: FromCommitter, moved: readonly ArrayBuffer[] = []): void {
  thread.post(message, moved)
}

/** The writer of that name, or one that says that there is none. */
function writerOf({ writers }: Named, name: string): Writer<unknown, unknown> {
  const missing = async () => {
    throw new Error(`no module of the store exports a writer named '${name}'`)
  }
  return writers.get(name) ?? { kind: 'writer', name, run: missing }
}

function unpacked(writer: Writer<unknown, unknown>, inputs: unknown[]) {
  const { crossing } = writer
  return { writer, inputs: crossing ? inputs.map(crossing.unpack) : inputs }
}

async function start(): Promise<void> {
  let connection: SqliteConnection | undefined
  let failures = 0
  const named = await loadNamed(modules)
  forgetCompiled()
  spareYoungAtRest()
  connection = openWriting(path, maxPages)
  const files = new DatabaseFiles(path, { wholeOctets: () => wholeOctets(connection) })
  const count = new CommitCount(path)

  /** Nothing is durable in a file that has lost its name, or its end. */
  const findFiles = (written: boolean): void => {
    const fault = files.fault(written)
    if (fault !== undefined) throw new StoreError('broken', fault)
  }

  const ready = (): SqliteConnection => {
    // SQLite would make another database where this one is gone.
    findFiles(false)
    if (connection !== undefined) return connection
    const fresh = openWriting(path, maxPages)
    try {
      files.opened()
    } catch (error) {
      fresh.close()
      throw error
    }
    connection = fresh
    return fresh
  }

  const commit = async ({ now, runs, moved }: Batch): Promise<void> => {
    let writing: SqliteConnection
    try {
      writing = ready()
    } catch (error) {
      answer({ kind: 'rolledBack', failure: failureData(error) })
      return
    }
    try {
      const known = runs.map(({ writer, inputs }) => unpacked(writerOf(named, writer), inputs))
      const results = await runBatch(writing, known, now, () => count.count(writing))
      findFiles(true)
      count.durable()
      failures = 0
      answerResults(results, moved)
    } catch (error) {
      const failure = failureData(error)
      answer({ kind: 'rolledBack', failure })
      failures++
      connection = afterFailure(writing, failure, failures)
      if (connection === undefined) files.closed()
    }
  }

  thread.listen(message => {
    const told = message as ToCommitter
    if (told.kind === 'batch') {
      void commit(told)
    } else {
      // The last connection to close folds the log into the database.
      connection?.close()
      if (connection !== undefined && files.folded) count.folded()
      thread.end()
    }
  })
}

/** The size of the database as of its last commit. */
function wholeOctets(connection: SqliteConnection | undefined): number {
  const pragma = (name: string) =>
    connection?.get<Record<string, number>>(`PRAGMA ${name}`, [])?.[name] ?? 0
  return pragma('page_count') * pragma('page_size')
}

/**
 * What goes on behind a batch that failed, the `failures`-th in a row. Where there is no room, the log
 * is folded into the database early: its own space is used again. After one failed sync the connection
 * is kept: its next commit overwrites the frames that are in doubt, which a fresh connection would take
 * for committed. If it fails again, or has not even rolled back, a fresh one is the cure.
 */
function afterFailure(
  connection: SqliteConnection,
  { reason }: FailureData,
  failures: number,
): SqliteConnection | undefined {
  try {
    if (reason === 'full') connection.get('PRAGMA wal_checkpoint(PASSIVE)', [])
  } catch {
    // There is no room for that either.
  }
  const usable = reason === 'full' || reason === 'busy' || failures === 1
  if (usable && !connection.inTransaction) return connection
  try {
    connection.close()
  } catch {
    // Nothing was left to close.
  }
  return undefined
}

/** An output that cannot be cloned is its writer's bug, and its neighbours' answers still arrive. */
function answerResults(results: readonly JobResult[], moved: readonly ArrayBuffer[]): void {
  try {
    answer({ kind: 'results', results, moved }, moved)
  } catch {
    answer({ kind: 'results', results: results.map(cloneable), moved }, moved)
  }
}

function cloneable(result: JobResult): JobResult {
  try {
    return structuredClone(result)
  } catch (error) {
    return { done: false, failure: failureData(error) }
  }
}

start().then(
  () => answer({ kind: 'ready' }),
  (error: unknown) => {
    answer({ kind: 'failed', failure: failureData(error) })
    thread.end()
  },
)
