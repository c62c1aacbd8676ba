import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finished, gradually, sorted } from './gradual.ts'

test('what is sorted in steps is sorted as at once, and stays as it stood where it is equal', () => {
  for (const length of [0, 1, 255, 256, 257, 1_000, 5_001]) {
    const items = Array.from({ length }, (_, n) => ({ key: (n * 7_919) % 101, n }))
    const compare = (a: { readonly key: number }, b: { readonly key: number }) => a.key - b.key
    assert.deepEqual(finished(sorted(items, compare)), [...items].sort(compare), String(length))
  }
})

test('a step is some hundreds of things, whatever their number', () => {
  const seen: number[] = []
  const work = gradually(
    Array.from({ length: 1_000 }, (_, n) => n),
    n => seen.push(n),
  )
  let before = 0
  while (work.next().done !== true) {
    assert.ok(seen.length - before <= 256)
    before = seen.length
  }
  assert.equal(seen.length, 1_000)
})
