/**
 * Node's test runner follows every promise (async_hooks), to know which test an error belongs to that nobody
 * caught: where a town lives through days that is two thirds of all time. Loaded before anything else, as
 * test/run.ts does, this lets it follow timers, sockets and threads alone; a rejection that nobody caught still
 * fails the run, and is shown with its stack instead of its test.
 */
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { leaveCost } from './cost.ts'

/** A file that takes longer holds on to something: node's own limit asks it to end, and it may not hear. */
const LONGEST_MS = 480_000

const hooks: typeof import('node:async_hooks') = createRequire(import.meta.url)('node:async_hooks')
const { createHook } = hooks
hooks.createHook = callbacks => createHook({ ...callbacks, trackPromises: false })

process.on('unhandledRejection', error => console.error('nobody caught this rejection:', error))

if (isMainThread) {
  setTimeout(() => {
    console.error('these tests do not end, and hold:', process.getActiveResourcesInfo().join(', '))
    process.exit(1)
  }, LONGEST_MS).unref()
}

leaveCost(process.env['POSTRIDER_TEST_RUN'])
