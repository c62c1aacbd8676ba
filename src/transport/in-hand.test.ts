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
    world: { clock: { after }, log: silent } as unknown as World,
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
