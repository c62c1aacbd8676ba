import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breath } from './breath.ts'
import type { Clock } from './clock.ts'
import { nodeClock } from './node/clock.ts'

test('work takes a breath when it has been at it for a while, and not before', async () => {
  let now = 1_000
  const clock: Clock = { ...nodeClock, monotonic: () => now }
  const breath = new Breath(clock)
  await breath.due()
  assert.equal(breath.due(), undefined)
  now += 6
  let others = false
  setImmediate(() => (others = true))
  await breath.due()
  assert.ok(others)
  assert.equal(breath.due(), undefined)
})

test('no delay at all is the next turn of the event loop', async () => {
  const order: string[] = []
  const done = new Promise<void>(resolve => {
    nodeClock.after(0, () => {
      order.push('after')
      resolve()
    })
  })
  nodeClock.after(0, () => order.push('never')).cancel()
  queueMicrotask(() => order.push('microtask'))
  // Nothing else happens: it must not be waited for.
  await done
  assert.deepEqual(order, ['microtask', 'after'])
})
