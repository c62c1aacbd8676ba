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
  now += 3
  await breath.due()
  assert.ok(others)
  assert.equal(breath.due(), undefined)
  await new Promise(setImmediate)
  now += 3
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
  now += 3
  await Promise.all(
    [1, 2, 3].map(async () => {
      await breath.due()
      turns.push(turn)
      now += 1
    }),
  )
  assert.equal(new Set(turns).size, 3, String(turns))
})

test('what comes new has time of its own in each turn, ahead of the line', async () => {
  let now = 1_000
  const due: (() => void)[] = []
  const after = (_delayMs: number, run: () => void) => {
    due.push(run)
    return { cancel: () => {} }
  }
  /** Between two of what rings in one turn all runs that waits for nothing. */
  const turn = async () => {
    for (const run of due.splice(0)) {
      run()
      await new Promise(setImmediate)
    }
  }
  const breath = new Breath({ ...nodeClock, monotonic: () => now, after })
  const done: number[] = []
  const long = async (n: number) => {
    for (let step = 0; step < 3; step++) {
      const rest = breath.due()
      if (rest !== undefined) await rest
      now += 2
      done.push(n)
    }
  }
  const all = [1, 2, 3].map(long)
  await new Promise(setImmediate)
  assert.deepEqual(done, [1], 'he waits for his next step, and so do the others')
  await turn()
  assert.equal(breath.due(), undefined, 'the line is long, and he is new')
  assert.deepEqual(done, [1, 1])
  now += 2
  assert.ok(breath.full, 'he had his time')
  for (let turns = 0; turns < 8; turns++) await turn()
  assert.deepEqual(done, [1, 1, 2, 3, 1, 2, 3, 2, 3])
  await Promise.all(all)
  await turn()
  assert.deepEqual(due, [], 'where nobody waits nothing turns')
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
