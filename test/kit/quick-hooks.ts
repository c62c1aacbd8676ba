/**
 * Node's test runner follows every promise (async_hooks), to know which test an error belongs to that nobody
 * caught: where a town lives through days that is two thirds of all time. Loaded before anything else, as
 * test/run.ts does, this lets it follow timers, sockets and threads alone; a rejection that nobody caught still
 * fails the run, and is shown with its stack instead of its test.
 */
import { createRequire } from 'node:module'
import { leaveCost } from './cost.ts'

const hooks: typeof import('node:async_hooks') = createRequire(import.meta.url)('node:async_hooks')
const { createHook } = hooks
hooks.createHook = callbacks => createHook({ ...callbacks, trackPromises: false })

process.on('unhandledRejection', error => console.error('nobody caught this rejection:', error))

leaveCost(process.env['POSTRIDER_TEST_RUN'])
