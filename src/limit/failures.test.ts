/** Who guesses too often waits; who repeats himself may do so longer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failures } from './failures.ts'

function place(max: number) {
  const time = { now: 0 }
  return { time, failures: new Failures({ monotonic: () => time.now }, () => max) }
}

test('an address that fails too often must wait for ten minutes, its neighbours need not', () => {
  const { time, failures } = place(3)
  for (let i = 0; i < 3; i++) {
    assert.ok(!failures.full('192.0.2.1'))
    assert.equal(failures.add('192.0.2.1', i), i === 2)
  }
  assert.ok(failures.full('192.0.2.1'))
  assert.ok(!failures.full('198.51.100.1'))
  time.now = 10 * 60_000
  assert.ok(!failures.full('192.0.2.1'))
})

test('one guess again and again counts for a tenth, and counts', () => {
  const { failures } = place(2)
  for (let i = 0; i < 20; i++) assert.equal(failures.add('192.0.2.1', 7), false)
  assert.equal(failures.add('192.0.2.1', 7), true)
  failures.forget('192.0.2.1')
  assert.ok(!failures.full('192.0.2.1'))
  assert.equal(failures.add('192.0.2.1', 7), false)
})

test('without a limit nothing is counted', () => {
  const { failures } = place(0)
  for (let i = 0; i < 50; i++) assert.equal(failures.add('192.0.2.1'), false)
  assert.ok(!failures.full('192.0.2.1'))
})
