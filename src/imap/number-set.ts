/**
 * Sets of message numbers (RFC 9051 §9 sequence-set): `1:4,7,12:*`, of sequence numbers or UIDs. Kept as
 * ranges, so that `1:4294967295` costs nothing; who has the mailbox turns it into the numbers that exist.
 */
import type { Cursor } from './cursor.ts'

/** Both ends belong to it; `star` is the largest number in use. */
export interface NumberRange {
  readonly from: number | '*'
  readonly to: number | '*'
}

/** Ranges as they were written, or `$`: the saved result of the last SEARCH (RFC 5182). */
export type NumberSet = readonly NumberRange[] | '$'

/** One command names no more ranges; a well-behaved client that has more splits them. */
const RANGES_MAX = 20_000

/** `sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command`. */
export function readNumberSet(cursor: Cursor): NumberSet {
  if (cursor.take('$')) return '$'
  const ranges: NumberRange[] = []
  do {
    const from = seqNumber(cursor)
    const to = cursor.take(':') ? seqNumber(cursor) : from
    ranges.push({ from, to })
    if (ranges.length > RANGES_MAX) cursor.fail('the set has too many ranges')
  } while (cursor.fault === undefined && cursor.take(','))
  return ranges
}

/** seq-number = nz-number / "*". */
function seqNumber(cursor: Cursor): number | '*' {
  return cursor.take('*') ? '*' : cursor.positive()
}

/**
 * The ranges in order and without overlap, `*` replaced by `largest` (0 in an empty mailbox: then
 * `*` stands for nothing). §9: a range may be written in either direction.
 */
export function normalRanges(
  set: readonly NumberRange[],
  largest: number,
): readonly (readonly [number, number])[] {
  const plain: [number, number][] = []
  for (const range of set) {
    const a = range.from === '*' ? largest : range.from
    const b = range.to === '*' ? largest : range.to
    if (a > 0 && b > 0) plain.push(a <= b ? [a, b] : [b, a])
  }
  plain.sort((x, y) => x[0] - y[0])
  const merged: [number, number][] = []
  for (const [from, to] of plain) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

/** Ascending numbers in the shortest writing: `2:4,7`; '' for none. */
export function formatNumbers(numbers: Iterable<number>): string {
  let text = ''
  let from = -1
  let to = -1
  const close = () => {
    if (from < 0) return
    text += `${text === '' ? '' : ','}${from === to ? from : `${from}:${to}`}`
  }
  for (const number of numbers) {
    if (number === to + 1 && from >= 0) to = number
    else {
      close()
      from = number
      to = number
    }
  }
  close()
  return text
}

/**
 * The numbers of a set below `below` that are not among `present`, in the shortest writing; '' for none.
 * @param present ascending
 */
export function formatMissing(present: ArrayLike<number>, below: number, set?: NumberSet): string {
  const whole = [[1, below - 1]] as const
  const wanted = set === undefined || set === '$' ? whole : normalRanges(set, below - 1)
  const missing: string[] = []
  const add = (from: number, to: number) => {
    if (from <= to) missing.push(from === to ? String(from) : `${from}:${to}`)
  }
  let at = 0
  for (const [first, last] of wanted) {
    let from = first
    const to = Math.min(last, below - 1)
    while (at < present.length && (present[at] as number) < from) at++
    for (; at < present.length && (present[at] as number) <= to; at++) {
      add(from, (present[at] as number) - 1)
      from = (present[at] as number) + 1
    }
    add(from, to)
  }
  return missing.join(',')
}

/** Whether a number is of a set: of one without `$`, `*` standing for `largest`. */
export function rangesHold(set: NumberSet, largest: number): (number: number) => boolean {
  const ranges = set === '$' ? [] : normalRanges(set, largest)
  return number => {
    let low = 0
    let high = ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle]?.[1] ?? 0) < number) low = middle + 1
      else high = middle
    }
    const range = ranges[low]
    return range !== undefined && range[0] <= number
  }
}
