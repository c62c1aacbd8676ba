/** Chance as a port: cryptographic in world/node, seeded in world/sim. */
export interface Random {
  octets(count: number): Uint8Array
  /** A whole number from 0 up to but not including `limit`. */
  below(limit: number): number
}

/** A random permutation (Fisher-Yates); the input is left as it is. */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = result[i] as T
    result[i] = result[j] as T
    result[j] = kept
  }
  return result
}
