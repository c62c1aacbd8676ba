/**
 * Identities of messages: one stable id from the first octet to the last outcome, and the key of
 * its body. Both grow with time, so that rows are appended and never scattered, and both are made
 * here rather than by the database, so that a batch needs no answer between its statements.
 *
 * The key is a safe integer: ms since 2025 times 4096 plus a counter (good until 2094). The id is
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

export function identities(clock: Clock, random: Random): () => Identity {
  let last = 0
  return () => {
    const floor = Math.max(0, clock.now() - EPOCH_MS) * PER_MS
    // A clock that jumps back, or more than 4096 messages in a millisecond, only borrows from the future.
    last = last < floor ? floor : last + 1
    const chance = random.below(2 ** 25)
    return {
      id: last.toString(32).padStart(11, '0') + chance.toString(32).padStart(5, '0'),
      bodyKey: last,
    }
  }
}
