/**
 * Loads what a server loads, and ends. bin/postrider runs it before the first start and after a change
 * of the sources, with NODE_COMPILE_CACHE set: Node then keeps the modules without their types, and
 * compiled, so that no server holds the stripper of types in memory (some 20 MB in each thread).
 */
import { STORE_MODULES } from '../server/rooms.ts'
import { optimizeSooner } from '../world/node/optimize.ts'
import { startThread } from '../world/node/thread.ts'

/** A thread's module refuses to run here; it is compiled all the same. */
const threads = [
  () => import('../store/committer-worker.ts'),
  () => import('../store/reader-worker.ts'),
  () => import('../server/settings/judge-worker.ts'),
  () => import('../server/foreign-hash-worker.ts'),
  () => import('../world/node/config-worker.ts'),
  () => import('../world/node/demo-certificate-worker.ts'),
]

/** What a server loads only when it is wanted. */
const onDemand = [
  () => import('../server/http.ts'),
  () => import('../server/control-app.ts'),
  () => import('../hook/hooks.ts'),
  () => import('../store/postgres/open.ts'),
  () => import('../world/node/object-disk.ts'),
]

/** The command line called with nothing says how it is called, here to nobody, and has loaded each command for it. */
const server = [() => import('./main.ts'), () => import('../server/start.ts')]

/** What commands load when they are at work: whoever calls them may not be allowed to keep what he has compiled. */
const commands = [
  () => import('./command/sendmail.ts'),
  () => import('./locate.ts'),
  () => import('../server/settings/judge.ts'),
  () => import('../server/control.ts'),
  () => import('../server/offline.ts'),
]
const store = STORE_MODULES.map(url => () => import(url.href))

for (const load of [...store, ...server, ...onDemand, ...commands, ...threads]) {
  await load().catch(() => undefined)
}

// Threads that start once a server is ready start under another flag, and have a cache of their own.
optimizeSooner()
startThread(new URL('./warm-thread.ts', import.meta.url), undefined, {
  message() {},
  ended() {},
})
