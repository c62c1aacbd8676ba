/** Statistics of interleaved pairs: a ratio is taken within a pair, since the machine changes between pairs. */

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The median and range; undefined where there is nothing to take it of. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number) => sorted[index] as number
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  }
}

/** Ours by theirs, pair by pair. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  const pairs = Math.min(ours.length, theirs.length)
  return Array.from({ length: pairs }, (_, i) => (ours[i] as number) / (theirs[i] as number))
}

export function formatSpread(of: Spread | undefined, digits: number): string {
  if (of === undefined) return '-'
  const [median, least, most] = [of.median, of.least, of.most].map(n => n.toFixed(digits))
  return `${median} (${least}-${most})`
}
