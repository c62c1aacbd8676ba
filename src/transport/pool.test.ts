/** Who gets the next connection (RFC 6710 §5.1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../world/clock.ts'
import type { Hop } from './hop.ts'
import { Pool } from './pool.ts'

const clock = { monotonic: () => 0, after: () => ({ cancel() {} }) } as unknown as Clock
const hop = { usable: true, messages: 0, leave() {} } as unknown as Hop

/** A pool with one connection, taken, and loads of these priorities that wait for it. */
function waiting(priorities: readonly number[], senders = '') {
  const settings = {
    connectionsTo: () => 1,
    connectionsMax: 1,
    messagesPerConnection: 1000,
    idleMs: 1000,
  }
  const pool = new Pool(clock, settings)
  assert.equal(pool.take('route'), 'open')
  const order: string[] = []
  for (const [i, priority] of priorities.entries()) {
    const place = pool.take('route', { turn: { priority, from: senders[i] ?? '' } })
    assert.ok(place instanceof Promise)
    void place.then(() => order.push(`${i}:${priority}`))
  }
  return {
    async drain() {
      for (let n = 0; n < priorities.length; n++) {
        pool.give('route', hop)
        await Promise.resolve()
        await Promise.resolve()
      }
      return order
    },
  }
}

test('loads of one priority go in turn', async () => {
  assert.deepEqual(await waiting([0, 0, 0]).drain(), ['0:0', '1:0', '2:0'])
  assert.deepEqual(await waiting([5, 5]).drain(), ['0:5', '1:5'])
})

test('a higher priority goes first, within one in turn', async () => {
  const order = await waiting([0, -2, 3, 9, 3]).drain()
  assert.deepEqual(order.slice(0, 3), ['3:9', '2:3', '4:3'])
  assert.deepEqual(order.slice(3), ['0:0', '1:-2'])
})

test('every fourth place is for who has waited longest', async () => {
  const order = await waiting([-9, 9, 9, 9, 9, 9, 9, 9, 0]).drain()
  assert.equal(order[3], '0:-9')
  assert.equal(order[7], '7:9')
})

test('senders have their turns, within a priority, and who has nothing waiting comes in now', async () => {
  const none = (count: number) => Array.from({ length: count }, () => 0)
  const order = async (senders: string, priorities = none(senders.length)) => {
    const drained = await waiting(priorities, senders).drain()
    return drained.map(one => senders[Number.parseInt(one)]).join('')
  }
  assert.equal(await order('aaaaaaaab'), 'abaaaaaaa')
  assert.equal(await order('aaaabbbbc'), 'abcababab')
  assert.equal(await order('abcabcaaa'), 'abcabcaaa')
  assert.equal(await order('aaab', [0, 0, 5, 0]), 'aaba')
})

test('what stands idle on another way to a place leaves it where no more connections are allowed, once it has said goodbye', async () => {
  let open = 0
  const { promise: goodbye, resolve: parted } = Promise.withResolvers<void>()
  const pool = new Pool(clock, {
    connectionsTo: () => 2,
    connectionsMax: 9,
    messagesPerConnection: 1000,
    idleMs: 1000,
    mayOpen: () => open < 1,
    opened: () => open++,
    shut: () => open--,
  })
  const one = {
    usable: true,
    messages: 0,
    goodbye,
    onGone: undefined as (() => void) | undefined,
    leave: () => {},
  }
  one.leave = () => {
    one.usable = false
    one.onGone?.()
  }
  const first = one as unknown as Hop
  assert.equal(pool.take('one way', { gate: 'place' }), 'open')
  assert.ok(pool.take('other way', { gate: 'place' }) instanceof Promise)
  pool.shut('place')
  pool.give('one way', first)
  assert.equal(pool.counts.idle, 1)
  const asked = pool.take('other way', { gate: 'place' })
  assert.equal(one.usable, false)
  assert.deepEqual([pool.counts, open], [{ connections: 0, idle: 0, waiting: 1 }, 1])
  parted()
  assert.equal(await asked, 'open')
  assert.deepEqual(pool.counts, { connections: 1, idle: 0, waiting: 0 })
  assert.equal(open, 1)
})
