/**
 * What a message calls is optimized after some thousand messages instead of some ten thousand. Said by
 * server/start.ts once a server is ready and not on the command line: what Node has compiled of itself
 * beforehand is taken only under the flags it was made with, and without it every thread of a start takes
 * 50 ms of CPU more. Threads that start later have modules of their own in the cache (cli/warm.ts).
 */
import { setFlagsFromString } from 'node:v8'

export function optimizeSooner(): void {
  setFlagsFromString('--invocation-count-for-turbofan=800')
}
