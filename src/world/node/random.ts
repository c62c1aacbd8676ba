/** Cryptographic chance. Implements world/random.ts. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../random.ts'

export const nodeRandom: Random = {
  octets: count => randomBytes(count),
  below: limit => (limit <= 1 ? 0 : randomInt(limit)),
}
