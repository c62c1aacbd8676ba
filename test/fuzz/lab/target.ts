/**
 * A target of the fuzzer: what is given any octets at all, and what must hold of it then. One file in
 * test/fuzz/target/ for each room; the table of all is in table.ts. `run` throws where something does not hold.
 */
import type { Random } from '../../../src/world/random.ts'

export interface Target {
  readonly name: string
  /** Inputs to begin with; small ones. */
  seeds(): readonly Buffer[]
  /** Words of its grammar, which mutations put in. */
  readonly words: readonly string[]
  /** An input made by its grammar. */
  make?(random: Random): Buffer
  /** Whether its lines are what is taken out, doubled, exchanged and moved, as well as its octets. */
  readonly lines?: true
  /**
   * Reads the input; what it gives is all that came out, in octets. Chance hangs on the input alone, so that
   * an input is a whole test.
   */
  run(input: Buffer, random: Random): number | Promise<number>
  /** Longer inputs are cut. Default 4096. */
  readonly inputMaxOctets?: number
  /** How many octets may come out of one that goes in, beyond the first 100,000. Default 100. */
  readonly outputRatio?: number
  /** False where the input's size says nothing of the work: its time is not measured. */
  readonly linear?: false
}

/** One of them. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T
}

/** So many of what `make` gives, put together: from `least` up to `most`. */
export function some(random: Random, least: number, most: number, make: () => string): string {
  let text = ''
  for (let count = least + random.below(most - least + 1); count > 0; count--) text += make()
  return text
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
