/** A slice of a result (RFC 9394 §3.1): `1:500` from its start, `-1:-500` from its end. */
import type { Cursor } from './cursor.ts'

export interface PartialRange {
  readonly from: number
  readonly to: number
  readonly fromEnd: boolean
  /** As it was written: the answer repeats it. */
  readonly text: string
}

/** `partial-range = nz-number ":" nz-number / "-" nz-number ":-" nz-number`. */
export function readPartialRange(cursor: Cursor): PartialRange {
  const fromEnd = cursor.take('-')
  const a = cursor.positive()
  cursor.expect(fromEnd ? ':-' : ':')
  const b = cursor.positive()
  const text = fromEnd ? `-${a}:-${b}` : `${a}:${b}`
  return { from: Math.min(a, b), to: Math.max(a, b), fromEnd, text }
}

/** The part of a result that a range names, in the result's order. */
export function partOf<T>(items: readonly T[], { from, to, fromEnd }: PartialRange): readonly T[] {
  const { length } = items
  if (fromEnd) return items.slice(Math.max(0, length - to), Math.max(0, length - from + 1))
  return items.slice(from - 1, to)
}
