/**
 * A reader thread: runs far readers, one after the other, on a connection of its own, and makes the
 * copy of a backup. Started by far-readers.ts.
 */
import { here } from '../world/node/thread.ts'
import type { JobResult } from './batch.ts'
import { openReading } from './connect.ts'
import { failureData } from './failure.ts'
import type { FromReader, ThreadData, ToReader } from './message.ts'
import { loadNamed } from './modules.ts'
import { Snapshots } from './snapshot.ts'

const thread = here()
const { path, modules } = thread.data as ThreadData

function answer(message: FromReader): void {
  thread.post(message)
}

async function start(): Promise<void> {
  const { readers } = await loadNamed(modules)
  const snapshots = new Snapshots(() => openReading(path))

  const read = async (name: string, input: unknown, now: number): Promise<unknown> => {
    const reader = readers.get(name)
    if (reader !== undefined) return snapshots.read(reader, input, now)
    throw new Error(`no module of the store exports a reader named '${name}'`)
  }

  const serve = async (output: Promise<unknown>): Promise<void> => {
    let result: JobResult
    try {
      result = { done: true, output: await output }
      answer({ kind: 'result', result })
    } catch (error) {
      answer({ kind: 'result', result: { done: false, failure: failureData(error) } })
    }
  }

  thread.listen(message => {
    const told = message as ToReader
    if (told.kind === 'read') void serve(read(told.reader, told.input, told.now))
    else if (told.kind === 'copy') void serve(copy(told.to))
    else {
      snapshots.close()
      thread.end()
    }
  })
}

/** One consistent state of the whole database as a new file; accepts go on meanwhile. */
async function copy(to: string): Promise<void> {
  const connection = openReading(path)
  try {
    connection.execute('PRAGMA query_only = OFF')
    connection.run('VACUUM INTO ?1', [to])
  } finally {
    connection.close()
  }
}

start().then(
  () => answer({ kind: 'ready' }),
  (error: unknown) => {
    answer({ kind: 'failed', failure: failureData(error) })
    thread.end()
  },
)
