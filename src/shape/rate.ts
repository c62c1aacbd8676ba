/**
 * Rates that hold for all nodes together. Tokens are granted by the store in batches (queue/lane.ts), at
 * least `everyMs` apart, and are good for `validMs` from when they were asked for. So no window of the
 * rate's length ever sees more messages than the rate allows, whatever node sends them; the price is at most
 * a tenth of the rate. A node that dies with tokens takes them with it for `validMs`, no longer. Pure.
 */
import type { Rate } from './rule.ts'

export interface Batch {
  readonly tokens: number
  readonly everyMs: number
  readonly validMs: number
}

/**
 * Batches of a twentieth, at least one token. Any window of `perMs` is reached by batches granted within
 * `perMs + validMs`; they are so far apart that these are no more than the rate holds.
 */
export function batchOf({ messages, perMs }: Rate): Batch {
  const tokens = Math.max(1, Math.floor(messages / 20))
  const batches = Math.floor(messages / tokens)
  const validMs = Math.max(1, Math.min(2000, Math.floor(perMs / 10)))
  return { tokens, everyMs: Math.ceil((perMs + validMs) / batches) + 1, validMs }
}

/** The tokens of one rate that this node holds. */
export class Tokens {
  #left = 0
  #untilMs = 0

  /** @param untilMs by the monotonic clock: `validMs` behind the moment the store was asked */
  granted(tokens: number, untilMs: number): void {
    this.#left = tokens
    this.#untilMs = untilMs
  }

  left(nowMs: number): number {
    return nowMs < this.#untilMs ? this.#left : 0
  }

  spend(nowMs: number): boolean {
    if (this.left(nowMs) < 1) return false
    this.#left -= 1
    return true
  }
}
