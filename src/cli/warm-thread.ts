/** The modules of threads that a server starts while it runs, loaded as those will load them. Started by warm.ts; ends by itself. */
import { STORE_MODULES } from '../server/rooms.ts'
import { here } from '../world/node/thread.ts'

const threads = [
  () => import('../store/reader-worker.ts'),
  () => import('../server/settings/judge-worker.ts'),
  () => import('../world/node/config-worker.ts'),
  () => import('../server/foreign-hash-worker.ts'),
]

// They find nothing to do, and throw or listen.
for (const load of [...STORE_MODULES.map(url => () => import(url.href)), ...threads]) {
  await load().catch(() => undefined)
}
here().end()
