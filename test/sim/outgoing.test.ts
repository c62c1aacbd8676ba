/** What accounts may send in an hour and in a day: told at MAIL and at RCPT, held at the end of the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outgoing, outgoingCounts } from '../../src/limit/outgoing.ts'
import { openMemoryStore } from '../../src/store/memory.ts'

const HOUR = 3_600_000
const joe = { id: 1, address: 'joe@a.test' }
const none = { messagesPerHour: 0, messagesPerDay: 0, recipientsPerHour: 0, recipientsPerDay: 0 }

async function counting(limits: Partial<typeof none>) {
  const time = { now: Date.UTC(2030, 0, 1) }
  const store = await openMemoryStore({ now: () => time.now })
  return { time, store, outgoing: new Outgoing(store, () => ({ ...none, ...limits })) }
}

test('an account without limits is not counted', async () => {
  const { store, outgoing } = await counting({})
  assert.equal(outgoing.limits(joe), false)
  assert.equal(await outgoing.reserve(joe, 100), undefined)
  assert.deepEqual(await store.read(outgoingCounts, 1), [])
})

test('so many messages an hour, however many come at once, and again in the next', async () => {
  const { time, outgoing } = await counting({ messagesPerHour: 10 })
  for (let hour = 0; hour < 3; hour++) {
    const tries = await Promise.all(Array.from({ length: 30 }, () => outgoing.reserve(joe, 1)))
    assert.equal(tries.filter(tried => tried === undefined).length, 10)
    assert.deepEqual(await outgoing.looks(joe, 1), { what: 'messages', most: 10, per: 'hour' })
    time.now += HOUR
    assert.equal(await outgoing.looks(joe, 1), undefined)
  }
})

test('a message that would exceed the day is not counted in the hour', async () => {
  const { store, outgoing } = await counting({ recipientsPerHour: 100, recipientsPerDay: 120 })
  assert.equal(await outgoing.reserve(joe, 90), undefined)
  assert.deepEqual(await outgoing.reserve(joe, 20), { what: 'recipients', most: 100, per: 'hour' })
  assert.equal(await outgoing.reserve(joe, 10), undefined)
  const before = await store.read(outgoingCounts, 1)
  assert.deepEqual(
    before.map(({ recipients }) => recipients),
    [100, 100],
  )
  assert.deepEqual(await outgoing.reserve(joe, 130), { what: 'recipients', most: 100, per: 'hour' })
  assert.deepEqual(await store.read(outgoingCounts, 1), before)
})

test('the day goes on over its hours', async () => {
  const { time, outgoing } = await counting({ messagesPerHour: 5, messagesPerDay: 12 })
  let taken = 0
  for (let hour = 0; hour < 24; hour++) {
    for (let n = 0; n < 10; n++) if ((await outgoing.reserve(joe, 1)) === undefined) taken++
    time.now += HOUR
  }
  assert.equal(taken, 12)
  assert.equal(await outgoing.reserve(joe, 1), undefined)
})
