/**
 * Loads what a server loads, and ends. bin/postrider runs it before the first start and after a change
 * of the sources, with NODE_COMPILE_CACHE set: Node then keeps the modules without their types, and
 * compiled, so that no server holds the stripper of types in memory (some 20 MB in each thread).
 */
import { nodeClock } from '../world/node/clock.ts'
import { nodeTerminal } from '../world/node/terminal.ts'
import { program } from './program.ts'
import '../server/start.ts'
import { STORE_MODULES } from '../server/rooms.ts'

await program({ terminal: nodeTerminal(), clock: nodeClock })

const threads = [
  '../store/committer-worker.ts',
  '../store/reader-worker.ts',
  '../world/node/config-worker.ts',
]

for (const module of [...STORE_MODULES.map(url => url.href), ...threads]) {
  // A thread's module refuses to run here; it is compiled all the same.
  await import(module).catch(() => undefined)
}
