import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breath } from './breath.ts'
import type { Clock } from './clock.ts'
import { nodeClock } from './node/clock.ts'

test('work takes a breath when it has been at it for a while, and not before', async () => {
  let now = 1_000
  const clock: Clock = { ...nodeClock, monotonic: () => now }
  const breath = new Breath(clock)
  let others = false
  setImmediate(() => (others = true))
  assert.equal(breath.due(), undefined)
  assert.equal(breath.due(), undefined)
  now += 6
  await breath.due()
  assert.ok(others)
  assert.equal(breath.due(), undefined)
  await new Promise(setImmediate)
  now += 6
  assert.equal(breath.due(), undefined, 'the next turn begins anew')
})

test('of many at once one goes on in each turn', async () => {
  let now = 1_000
  const breath = new Breath({ ...nodeClock, monotonic: () => now })
  let turn = 0
  const turns: number[] = []
  const count = () => {
    turn += 1
    if (turns.length < 3) setImmediate(count)
  }
  setImmediate(count)
  assert.equal(breath.due(), undefined)
  now += 6
  await Promise.all(
    [1, 2, 3].map(async () => {
      await breath.due()
      turns.push(turn)
      now += 1
    }),
  )
  assert.equal(new Set(turns).size, 3, String(turns))
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
