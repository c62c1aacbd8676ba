/** What a node has in hand: places are used again, and what is there is renewed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../store/store.ts'
import { silent } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { InHand } from './in-hand.ts'
import type { Job } from './job.ts'

const job = (id: string, ...ns: number[]) =>
  ({ message: { id }, rows: ns.map(n => ({ n })) }) as unknown as Job

test('loads come and go, and those in hand are renewed', async () => {
  const rang: (() => void)[] = []
  const renewed: unknown[] = []
  const after = (_ms: number, run: () => void) => {
    rang.push(run)
    return { cancel() {} }
  }
  const inHand = new InHand({
    world: { clock: { after, monotonic: () => 0 }, log: silent } as unknown as World,
    store: {
      write: async (_writer: unknown, input: { rows: unknown[] }) => renewed.push(input.rows),
    } as unknown as Store,
    node: 'node',
    leaseMs: 45_000,
    also: async () => {},
  })
  const a = inHand.add(job('a', 0, 2))
  const b = inHand.add(job('b', 1))
  assert.equal(inHand.add(job('a', 1)), 2)
  inHand.delete(b)
  assert.deepEqual([inHand.size, inHand.of('a'), inHand.of('b')], [2, 2, 0])
  assert.equal(inHand.add(job('c', 0)), b)
  inHand.delete(a)
  assert.deepEqual([...inHand.rows()], ['c 0', 'a 1'])
  assert.equal(rang.length, 1)
  rang.shift()?.()
  assert.deepEqual(renewed, [
    [
      { messageId: 'c', n: 0 },
      { messageId: 'a', n: 1 },
    ],
  ])
  for (const place of [b, 2]) inHand.delete(place)
  assert.equal(inHand.size, 0)
  // Nothing is left to renew, and the timer rests until there is.
  rang.shift()?.()
  assert.deepEqual([renewed.length, rang.length], [1, 0])
  inHand.add(job('d', 0))
  assert.equal(rang.length, 1)
})

test('a lease that was surely lengthened in time stands, any other has ended for good', async () => {
  let nowMs = 0
  let ring = () => {}
  let answer = () => {}
  const clock = {
    monotonic: () => nowMs,
    after: (_ms: number, run: () => void) => {
      ring = run
      return { cancel() {} }
    },
  }
  const write = () => new Promise<void>(resolve => (answer = resolve))
  const inHand = new InHand({
    world: { clock, log: silent } as unknown as World,
    store: { alone: false, write } as unknown as Store,
    node: 'node',
    leaseMs: 45_000,
    also: async () => {},
  })
  const at = async (ms: number, what: () => void) => {
    nowMs = ms
    what()
    await new Promise(resolve => setImmediate(resolve))
  }
  const older = { message: { id: 'a' }, rows: [{ n: 0, leasedMs: -20_000 }] } as unknown as Job
  const a = inHand.add(older)
  const b = inHand.add(job('b', 0))
  await at(15_000, () => ring())
  await at(26_000, () => answer())
  assert.deepEqual(
    [inHand.lapsed(a), inHand.lapsed(b)],
    [true, false],
    'the answer came too late for one',
  )
  // It stood for 45 s from when it was asked for, not from when the answer came.
  nowMs = 59_999
  assert.equal(inHand.lapsed(b), false)
  nowMs = 60_000
  assert.equal(inHand.lapsed(b), true)
  // We slept. What is lengthened now may be another's.
  await at(75_000, () => ring())
  await at(75_001, () => answer())
  assert.deepEqual([inHand.lapsed(a), inHand.lapsed(b)], [true, true])
  inHand.delete(b)
  assert.equal(inHand.lapsed(inHand.add(job('c', 0))), false)

  const outcome = { status: '4.3.0', reason: '' }
  for (const [given, moot] of [
    [{ ...outcome, kind: 'deferred' }, true],
    [{ ...outcome, kind: 'deferred', inDoubt: true }, false],
    [{ ...outcome, kind: 'failed' }, false],
  ] as const) {
    assert.equal(inHand.isMoot(a, { outcomes: [given] }), moot, JSON.stringify(given))
  }
})
