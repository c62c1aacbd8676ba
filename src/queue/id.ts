/**
 * Identities of messages: one stable id from the first octet to the last outcome, and the key of
 * its body. Both grow with time, so that rows are appended and never scattered, and both are made
 * here rather than by the database, so that a batch needs no answer between its statements.
 *
 * The key is a safe integer: ms since 2025 times 4096, plus the node's slot times 32, plus a counter
 * (good until 2094): nodes at work at one time have different slots (Store.slot), and never make one key. The id is
 * that key and five characters of chance in base 32, 16 characters in all: ids of two nodes or two
 * lives of one node do not meet, and a queue id tells an outsider nothing he could count with.
 */
import type { Clock } from '../world/clock.ts'
import type { Random } from '../world/random.ts'

export interface Identity {
  /** 16 characters of [0-9a-v], sorting by time. */
  readonly id: string
  readonly bodyKey: number
}

const EPOCH_MS = Date.UTC(2025, 0, 1)
const PER_MS = 4096
/** Keys of one slot in a millisecond; there are 128 slots. */
const PER_SLOT = 32

export function identities(
  clock: Clock,
  random: Random,
  slot: () => number = () => 0,
): () => Identity {
  let lastMs = 0
  let count = 0
  return () => {
    const nowMs = Math.max(0, clock.now() - EPOCH_MS)
    // A clock that jumps back, or more than 32 messages in a millisecond, only borrows from the future.
    if (nowMs > lastMs) {
      lastMs = nowMs
      count = 0
    } else if (++count === PER_SLOT) {
      lastMs++
      count = 0
    }
    const key = lastMs * PER_MS + slot() * PER_SLOT + count
    const chance = random.below(2 ** 25)
    return {
      id: key.toString(32).padStart(11, '0') + chance.toString(32).padStart(5, '0'),
      bodyKey: key,
    }
  }
}
