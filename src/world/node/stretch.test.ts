import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { nodeStretch } from './stretch.ts'

test('a key of many iterations is made beside the loop, which goes on all the while', async () => {
  const salt = Buffer.from('a salt of sixteen')
  const step = { kind: 'stretch', hash: 'sha256', password: 'pencil', salt, octets: 32 } as const
  let turns = 0
  let longestMs = 0
  let before = performance.now()
  let over = false
  const turn = () => {
    turns++
    longestMs = Math.max(longestMs, performance.now() - before)
    before = performance.now()
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  const keys = await Promise.all(
    [100_000, 100_000, 100_000].map(iterations => nodeStretch({ ...step, iterations })),
  )
  over = true
  // What is done on the loop leaves it no turn but those between the three.
  assert.ok(turns > 100, `${turns} turns, the longest ${longestMs} ms`)
  const made = pbkdf2Sync('pencil', salt, 100_000, 32, 'sha256')
  for (const { key } of keys) assert.deepEqual(Buffer.from(key), made)
})
