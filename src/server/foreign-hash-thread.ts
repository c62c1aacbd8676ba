/**
 * Checks foreign hashes off the event loop: a thread that starts with the first one, for a server that
 * has imported accounts. One that dies fails the checks under way and is started anew by the next.
 */
import type { CheckForeign } from '../account/foreign-hash.ts'
import { startThread, type Thread } from '../world/node/thread.ts'

export interface ForeignCheck {
  readonly id: number
  readonly hash: string
  readonly password: string
}

export interface ForeignChecked {
  readonly id: number
  readonly right: boolean
}

interface Waiting {
  readonly resolve: (right: boolean) => void
  readonly reject: (error: Error) => void
}

export function foreignHashThread(): CheckForeign {
  const waiting = new Map<number, Waiting>()
  let thread: Thread | undefined
  let nextId = 1
  const start = () => {
    const module = new URL('./foreign-hash-worker.ts', import.meta.url)
    return startThread(module, undefined, {
      message(message) {
        const { id, right } = message as ForeignChecked
        waiting.get(id)?.resolve(right)
        waiting.delete(id)
        if (waiting.size === 0) thread?.awaited(false)
      },
      ended(error) {
        thread = undefined
        const why = error ?? new Error('the thread of foreign hashes has ended')
        for (const { reject } of waiting.values()) reject(why)
        waiting.clear()
      },
    })
  }
  return (hash, password) =>
    new Promise((resolve, reject) => {
      thread = thread ?? start()
      const id = nextId++
      waiting.set(id, { resolve, reject })
      thread.awaited(true)
      thread.post({ id, hash, password } satisfies ForeignCheck)
    })
}
