/** Sets of numbers, written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatMissing, type NumberSet } from './number-set.ts'

const range = (from: number, to = from) => ({ from, to })

const rows: readonly (readonly [readonly number[], number, NumberSet | undefined, string])[] = [
  [[], 1, undefined, ''],
  [[], 2, undefined, '1'],
  [[], 6, undefined, '1:5'],
  [[1, 2, 3], 4, undefined, ''],
  [[2, 5], 8, undefined, '1,3:4,6:7'],
  [[2, 5], 8, [range(4, 6)], '4,6'],
  [[2, 5], 8, [range(7, 4_000_000_000)], '7'],
  [[2, 5], 8, [range(9)], ''],
  [[2, 5], 8, [range(6, 7), range(1, 3)], '1,3,6:7'],
  [[3], 8, [range(1), range(3), range(5)], '1,5'],
]

test('what is missing of a set is told in ranges', () => {
  for (const [present, below, set, told] of rows) {
    assert.equal(formatMissing(present, below, set), told, JSON.stringify([present, below, set]))
  }
})
