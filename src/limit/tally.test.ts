import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from './tally.ts'

test('more than the rate allows is too much until the time is over', () => {
  let now = 0
  const tally = new Tally({ monotonic: () => now }, () => ({ count: 3, perMs: 1000 }))
  assert.deepEqual(
    [1, 2, 3, 4].map(() => tally.add('a')),
    [false, false, false, true],
  )
  assert.ok(tally.full('a'))
  assert.equal(tally.add('b', 4), true)
  now = 1000
  assert.equal(tally.of('a'), 0)
  assert.equal(tally.add('a'), false)
})

test('without a rate nothing is too much, and a flood of keys takes a bounded place', () => {
  let rate: { count: number; perMs: number } | undefined
  const tally = new Tally({ monotonic: () => 0 }, () => rate)
  assert.equal(tally.add('a', 1e9), false)
  rate = { count: 1, perMs: 1000 }
  tally.add('first')
  for (let i = 0; i < 50_000; i++) tally.add(String(i))
  assert.equal(tally.of('first'), 0)
  assert.equal(tally.of('49999'), 1)
})
