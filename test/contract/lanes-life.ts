/** The life of a lane (src/queue/lane.ts), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import { addressOfAccount } from '../../src/account/reader.ts'
import { outgoingCounts, reserveOutgoing } from '../../src/limit/outgoing.ts'
import { change } from '../../src/queue/change.ts'
import * as claims from '../../src/queue/claim.ts'
import * as laneRoom from '../../src/queue/lane.ts'
import * as queue from '../../src/queue/writer.ts'
import { trace } from '../../src/record/trace.ts'
import { acceptance, askedFor, at, node, recipient, type Witness } from './life.ts'

export async function lanesLife(w: Witness): Promise<void> {
  const name = 'mx:dead.test'
  const lane = { name, forMs: 3_600_000, status: '4.4.1', reason: 'it is down' }
  await w.write(laneRoom.forgetLanes, null)
  await w.write(
    queue.accept,
    acceptance(800, {
      recipients: [recipient('a@dead.test', { lease: { by: node, leaseMs: 9 } })],
    }),
  )
  for (const n of [801, 802]) {
    await w.write(queue.accept, acceptance(n, { recipients: [recipient('a@dead.test', { lane })] }))
  }
  const ready = async () => {
    const rows = await w.read(laneRoom.readyLanes, { after: { untilAt: -1, name: '' }, limit: 9 })
    w.log.pop()
    return rows.map(row => `${row.name} ${row.state}`)
  }
  assert.deepEqual(await ready(), [`${name} open`])
  const down = (probe: boolean) => {
    const waits = { firstMs: 60_000, mostMs: 200_000, spread: 0 }
    const input = { name, probe, ...waits, status: '4.4.1', reason: 'gone' }
    return w.write(laneRoom.laneDown, input).finally(() => w.log.pop())
  }
  // Who finds it out beside others changes nothing; the probe's wait doubles, up to the most.
  assert.equal((await down(false))?.wait_ms, 60_000)
  assert.equal((await down(false))?.wait_ms, 60_000)
  const since = (await down(true))?.since
  assert.equal((await down(true))?.wait_ms, 200_000)
  assert.equal((await down(true))?.since, since)
  assert.deepEqual(await ready(), [])
  const closed = await w.read(laneRoom.closedLanes, [name, 'mx:other.test'])
  w.log.pop()
  assert.deepEqual(
    closed.map(row => row.reason),
    ['gone'],
  )
  assert.deepEqual(await w.read(laneRoom.lanesDown, { limit: 9 }), [name])
  // What was claimed before goes back behind it untried, and keeps no attempt.
  const rows = [{ messageId: 'm800', n: 0, forMs: 3_600_000 }]
  const parkings = [{ lane: name, status: '4.4.1', reason: 'it is down', rows }]
  await w.write(laneRoom.park, { node: 'somebody else', parkings })
  await w.write(laneRoom.park, { node, parkings })
  await w.read(trace, 'm800')
  const claimed = await w.write(claims.claim, { node, leaseMs: 60_000, limit: 100 })
  w.log.pop()
  assert.ok(claimed.every(row => row.domain !== 'dead.test'))
  const probe = { node, leaseMs: 60_000, limit: 1, lane: name, probeMs: 90_000 }
  assert.deepEqual(await w.write(laneRoom.claimLane, probe), [])
  // An operator's retry asks the host now, by the row that he means.
  const ordered = { ...askedFor('to:*@dead.test'), at }
  const keys = [{ messageId: 'm801', n: 0 }]
  await w.write(change, { ...ordered, keys, change: { order: 'retry' } })
  assert.deepEqual(await ready(), [`${name} down`])
  assert.deepEqual((await w.read(laneRoom.upcoming, null)).ready, 1)
  w.log.pop()
  const won = await w.write(laneRoom.claimLane, { ...probe, newest: true })
  assert.deepEqual(
    won.map(row => row.message_id),
    ['m802'],
  )
  assert.deepEqual(await w.write(laneRoom.claimLane, probe), [], 'the probe is one')
  assert.equal(await w.write(laneRoom.claimProbe, { lane: name, probeMs: 1 }), false)
  await w.write(laneRoom.renewProbes, { names: [name], probeMs: 90_000 })
  await w.write(laneRoom.laneUp, name)
  assert.deepEqual(await ready(), [`${name} open`])
  assert.deepEqual(await w.read(laneRoom.lanesDown, { limit: 9 }), [])
  // A host that is down again at once is not asked as often as one that fails for the first time.
  assert.equal((await down(false))?.wait_ms, 200_000)
  // Only what is down is probed.
  await w.write(laneRoom.probeLanes, [name, 'mx:open.test'])
  assert.deepEqual(await ready(), [`${name} down`])
  assert.equal(await w.write(laneRoom.reopenLanes, null), 1)
  const rest = await w.write(laneRoom.claimLane, {
    ...probe,
    probeMs: undefined,
    limit: 9,
  } as never)
  assert.deepEqual(
    rest.map(row => row.message_id),
    ['m800'],
  )
  const changed = await w.read(laneRoom.lanesChanged, {
    after: { changedAt: 0, name: '' },
    limit: 100,
  })
  w.log.pop()
  assert.ok(changed.some(row => row.name === name && row.state === 'open'))
  assert.deepEqual(await ready(), [])
  await w.write(queue.giveBack, { node })
  const ids = [800, 801, 802].map(n => ({ messageId: `m${n}`, n: 0 }))
  await w.write(change, { ...ordered, keys: ids, change: { order: 'delete' } })
  await limits(w)
}

/** What an operator or a rule does to a lane. */
async function limits(w: Witness): Promise<void> {
  const name = 'rule:slow'
  const suspend = (forMs: number) =>
    w
      .write(laneRoom.suspendLane, { name, forMs, status: '4.7.0', reason: 'enough' })
      .finally(() => w.log.pop())
  const until = (await suspend(3_600_000))?.until_at ?? 0
  assert.equal((await suspend(1_000))?.until_at, until, 'the later end counts')
  const down = { firstMs: 60_000, mostMs: 60_000, spread: 0, status: '4.4.1', reason: 'gone' }
  assert.equal(await w.write(laneRoom.laneDown, { name, probe: false, ...down }), undefined)
  assert.equal(await w.write(laneRoom.resumeLane, { name, now: false }), false)
  const listed = await w.read(laneRoom.laneList, { limit: 10, name })
  w.log.pop()
  assert.deepEqual(
    listed.map(row => `${row.name} ${row.state} ${row.waiting}`),
    [`${name} suspended 0`],
  )
  assert.equal(await w.write(laneRoom.resumeLane, { name, now: true }), true)
  // A rate: one batch, and the next when its time comes, whoever asks.
  assert.deepEqual(await w.write(laneRoom.grantBatch, { name, everyMs: 60_000 }), { waitMs: 0 })
  const next = await w.write(laneRoom.grantBatch, { name, everyMs: 60_000 })
  w.log.pop()
  assert.ok(next.waitMs > 50_000 && next.waitMs <= 60_000)
  await outgoing(w)
}

/** What an account has sent: none is counted beyond its limits, nor in one span alone. */
async function outgoing(w: Witness): Promise<void> {
  for (const id of [1, 99]) await w.read(addressOfAccount, id)
  const spans = [
    { spanMs: 3_600_000, name: 'hour', messages: 2, recipients: 0 },
    { spanMs: 86_400_000, name: 'day', messages: 0, recipients: 5 },
  ] as const
  const reserve = (recipients: number) =>
    w.write(reserveOutgoing, { accountId: 7, spans, messages: 1, recipients })
  assert.equal(await reserve(3), null)
  assert.deepEqual(await reserve(3), { what: 'recipients', most: 5, per: 'day' })
  assert.equal(await reserve(2), null)
  assert.deepEqual(await reserve(1), { what: 'messages', most: 2, per: 'hour' })
  const counts = await w.read(outgoingCounts, 7)
  w.log.pop()
  assert.deepEqual(counts.map(({ messages, recipients }) => `${messages} ${recipients}`).sort(), [
    '2 5',
    '2 5',
  ])
}
