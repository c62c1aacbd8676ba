/**
 * The bench's own load generator, for what smtp-source cannot: TLS, a fixed rate, reading. A process of its own,
 * so that it takes no time from who measures: node main.ts JOB, with a job.ts as JSON; prints what was told as JSON.
 */
import type { Job, Told } from './job.ts'
import { readAll } from './read.ts'
import { sendAll } from './send.ts'

const job = JSON.parse(process.argv[2] ?? '') as Job
const { times, from, seconds } = await (job.do === 'send' ? sendAll(job) : readAll(job)).catch(
  (error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  },
)
const sorted = Float64Array.from(times).sort()
const at = (share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
const told: Told = {
  ...{ count: times.length, seconds, beganAt: performance.timeOrigin + from },
  ...{ p50: at(0.5), p99: at(0.99), p999: at(0.999) },
}
process.stdout.write(`${JSON.stringify(told)}\n`)
// A peer that does not close must not hold what is told.
process.exit(0)
