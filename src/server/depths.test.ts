/** The depth of the queue for who watches: told at once, asked seldom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import { depths } from './depths.ts'

test('it is told at once, asked for once in a while, and not told where it cannot be counted', async () => {
  let now = 0
  let asked = 0
  let fails = false
  const read = async () => {
    asked++
    if (fails) throw new Error('broken')
    return [{ state: 'held', recipients: asked }]
  }
  const tell = depths({ read } as unknown as Store, { monotonic: () => now } as unknown as Clock)
  const told = async () => {
    const [series] = tell()
    await new Promise(setImmediate)
    return [...(series?.values ?? [])]
  }
  assert.deepEqual(await told(), [])
  assert.deepEqual(await told(), [['state="held"', 1]])
  now = 14_999
  assert.deepEqual(await told(), [['state="held"', 1]])
  assert.equal(asked, 1)
  now = 15_000
  fails = true
  assert.deepEqual(await told(), [['state="held"', 1]])
  assert.deepEqual(await told(), [])
  assert.equal(asked, 2)
})
