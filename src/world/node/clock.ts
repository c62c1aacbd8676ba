/** The machine's clock and timers. Implements world/clock.ts; timers never keep the process alive. */
import type { Clock, Timer } from '../clock.ts'

/** setTimeout fires at once above this, so longer delays are made of several. */
const LONGEST_MS = 2 ** 31 - 1

export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    // Behind what this turn of the event loop has yet to read; a timer would wait for a millisecond.
    return delayMs > 0 ? new NodeTimer(delayMs, run) : new NextTurn(run)
  },
}

class NextTurn implements Timer {
  readonly #immediate: NodeJS.Immediate

  constructor(run: () => void) {
    // Not unref: the loop would wait for something else to happen before it ran.
    this.#immediate = setImmediate(run)
  }

  cancel(): void {
    clearImmediate(this.#immediate)
  }
}

class NodeTimer implements Timer {
  #timeout: NodeJS.Timeout

  constructor(delayMs: number, run: () => void) {
    this.#timeout = this.#start(delayMs, run)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #start(delayMs: number, run: () => void): NodeJS.Timeout {
    if (!(delayMs > LONGEST_MS)) return setTimeout(run, delayMs).unref()
    const next = () => {
      this.#timeout = this.#start(delayMs - LONGEST_MS, run)
    }
    return setTimeout(next, LONGEST_MS).unref()
  }
}

/** One turn of the event loop: everything that was ready to run has run. For world/sim. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
