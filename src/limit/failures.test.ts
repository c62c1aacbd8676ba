/** Who guesses too often waits; who has proven himself does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failures } from './failures.ts'

function place(max: number) {
  const time = { now: 0 }
  const clock = { now: () => time.now, monotonic: () => time.now, after: () => ({ cancel() {} }) }
  return { time, failures: new Failures(clock, () => max) }
}

test('an address that fails too often is blocked for ten minutes, its neighbours are not', () => {
  const { time, failures } = place(3)
  for (let i = 0; i < 3; i++) {
    assert.ok(!failures.blocked('192.0.2.1'))
    failures.add('192.0.2.1')
  }
  assert.ok(failures.blocked('192.0.2.1'))
  assert.ok(!failures.blocked('198.51.100.1'))
  time.now = 10 * 60_000
  assert.ok(!failures.blocked('192.0.2.1'))
})

test('a try that succeeds in the end is forgiven, and forgiving has no floor to dig through', () => {
  const { failures } = place(2)
  for (let i = 0; i < 10; i++) {
    failures.add('192.0.2.1')
    assert.ok(!failures.blocked('192.0.2.1'))
    failures.forgive('192.0.2.1')
  }
  failures.forgive('192.0.2.1')
  failures.forgive('198.51.100.1')
  failures.add('192.0.2.1')
  failures.add('192.0.2.1')
  assert.ok(failures.blocked('192.0.2.1'))
})

test('this machine itself is never blocked', () => {
  const { failures } = place(1)
  for (const address of ['127.0.0.1', '::1', 'unix']) {
    failures.add(address)
    assert.ok(!failures.blocked(address))
  }
})
