/**
 * Loads a config once, in a thread: gives its data part, the names of its hooks and a way to go on
 * with that very thread, so that a config is not run twice at start. Called by server/epoch.ts.
 */
import type { Clock } from '../world/clock.ts'
import type { OpenThread, Thread, ThreadEvents, Told } from '../world/config-thread.ts'

/** How long a fresh thread may take to load the config, while questions wait for it. */
export const LOAD_BUDGET_MS = 10_000

/** And the first one: a machine that starts has much to do, and a start that fails is worse than a late one. */
const FIRST_LOAD_MS = 30_000

export type Loaded =
  | {
      readonly ok: true
      readonly data: unknown
      readonly hooks: readonly string[]
      readonly wrong: readonly string[]
      /** Gives the thread that loaded the config at first, and fresh ones afterwards. */
      readonly open: OpenThread
      /** Ends the thread, where nobody goes on with it. */
      readonly discard: () => void
      /** What the config printed while it was loaded. */
      readonly said: readonly string[]
    }
  | { readonly ok: false; readonly reason: string }

/** Resolves within the load budget, whatever the config does. */
export function loadConfig(open: OpenThread, clock: Clock): Promise<Loaded> {
  return new Promise(resolve => {
    let target: ThreadEvents | undefined
    let ended: string | undefined
    const said: string[] = []
    const fail = (reason: string) => {
      budget.cancel()
      resolve({ ok: false, reason })
    }
    const budget = clock.after(FIRST_LOAD_MS, () => {
      thread.terminate()
      fail(
        `it took more than ${FIRST_LOAD_MS / 1000} s to load: is there an endless loop or a wait?`,
      )
    })
    const loaded = (message: Extract<Told, { kind: 'loaded' }>) => {
      budget.cancel()
      const { data, hooks, wrong } = message
      resolve({
        ok: true,
        data,
        hooks,
        wrong,
        said,
        discard: () => thread.terminate(),
        open: events => {
          if (target !== undefined || ended !== undefined) return open(events)
          target = events
          queueMicrotask(() => events.told(message))
          return thread
        },
      })
    }
    const thread: Thread = open({
      told(message) {
        if (target !== undefined) target.told(message)
        else if (message.kind === 'loaded') loaded(message)
        else if (message.kind === 'broken') {
          thread.terminate()
          fail(message.reason)
        } else if (message.kind === 'said' && said.length < 100) said.push(message.text)
      },
      exited(reason) {
        ended = reason
        if (target !== undefined) target.exited(reason)
        else fail(`its thread ended while it was loaded: ${reason}`)
      },
    })
  })
}
