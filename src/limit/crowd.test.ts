import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Crowd } from './crowd.ts'

test('a few wait for nothing, a crowd in proportion to what it is, and nobody for ever', () => {
  let now = 0
  const crowd = new Crowd({ monotonic: () => now })
  const members = Array.from({ length: 2000 }, () => ({}))
  const waits = members.map(each => crowd.waitMs(each))
  assert.deepEqual(new Set(waits.slice(0, 50)), new Set([0]))
  assert.equal(waits[50], 255)
  assert.equal(waits[399], 2000)
  assert.equal(waits.at(-1), 5000)
  assert.equal(crowd.stands, true)
  // Who comes to nothing again is one, and not two.
  for (const each of members.slice(40)) crowd.left(each)
  assert.equal(crowd.waitMs(members[0] ?? {}), 0)
  for (const each of members) crowd.waitMs(each)
  now = 10_000
  assert.equal(crowd.stands, false)
  assert.equal(crowd.waitMs({}), 0, 'what is over counts no more')
})
