/** Has a config judged in a thread that ends: all that validation takes goes with it. */
import { startThread } from '../../world/node/thread.ts'
import type { Judged, Written } from './judge.ts'

export function judgeAside(written: Written): Promise<Judged> {
  return new Promise((resolve, reject) => {
    startThread(new URL('./judge-worker.ts', import.meta.url), written, {
      message: judged => resolve(judged as Judged),
      ended: error => reject(error ?? new Error('the thread ended without a judgement')),
    })
  })
}
