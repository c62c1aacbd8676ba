/** Seeded chance: the sfc32 generator (PractRand's small fast counter). Never for secrets. */
import type { Random } from '../random.ts'

/** The same seed gives the same chance for ever. */
export function seededRandom(seed: string | number): Random {
  const next = sfc32(String(seed))
  return {
    octets(count) {
      const octets = Buffer.alloc(count)
      for (let i = 0; i < count; i++) octets[i] = next() >>> 24
      return octets
    },
    below: limit => (limit <= 1 ? 0 : Math.floor((next() / 2 ** 32) * limit)),
  }
}

function sfc32(seed: string): () => number {
  // FNV-1a spreads the seed over the state; the first rounds are thrown away.
  let hash = 0x811c9dc5
  for (const octet of Buffer.from(seed)) hash = Math.imul(hash ^ octet, 0x01000193)
  let a = hash | 0
  let b = (hash ^ 0x9e3779b9) | 0
  let c = Math.imul(hash, 0x85ebca6b) | 0
  let counter = 1
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  return next
}
