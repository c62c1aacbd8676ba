/** Has a config judged in a thread that ends: all that validation takes goes with it. */
import { startThread } from '../../world/node/thread.ts'
import type { Judge, Judged } from './judge.ts'

export const judgeAside: Judge = written => judgeInWaiting()(written)

/**
 * A judge for one config, who begins at once to load what he needs: whoever has to load much himself until the
 * config is read, as a start has, finds him ready then.
 */
export function judgeInWaiting(): Judge {
  const { promise, resolve, reject } = Promise.withResolvers<Judged>()
  const thread = startThread(new URL('./judge-worker.ts', import.meta.url), undefined, {
    message: judged => resolve(judged as Judged),
    ended: error => reject(error ?? new Error('the thread ended without a judgement')),
  })
  // Told to who asks for a judgement, and to nobody where it never comes to that.
  promise.catch(() => undefined)
  return written => {
    thread.post(written)
    return promise
  }
}
