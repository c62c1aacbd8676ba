import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('so many run, so many wait in order, and the rest are told at once', async () => {
  const slots = new Slots(2, 2)
  const finish: (() => void)[] = []
  const order: number[] = []
  const job = (n: number) =>
    slots.run(() => {
      order.push(n)
      return new Promise<number>(resolve => finish.push(() => resolve(n)))
    })
  const jobs = [1, 2, 3, 4].map(job)
  assert.deepEqual(await job(5), { kind: 'busy' })
  assert.deepEqual([slots.running, slots.waiting], [2, 2])
  finish[1]?.()
  assert.deepEqual(await jobs[1], { kind: 'done', value: 2 })
  assert.deepEqual(order, [1, 2, 3])
  finish[0]?.()
  await jobs[0]
  finish[2]?.()
  finish[3]?.()
  assert.deepEqual(await jobs[3], { kind: 'done', value: 4 })
  assert.deepEqual(order, [1, 2, 3, 4])
  assert.deepEqual([slots.running, slots.waiting], [0, 0])
})

test('work that fails gives its slot back', async () => {
  const slots = new Slots(1, 0)
  await assert.rejects(slots.run(() => Promise.reject(new Error('no'))))
  assert.deepEqual(await slots.run(async () => 1), { kind: 'done', value: 1 })
})
