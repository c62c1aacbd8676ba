/** Each fault that a delivery may meet, from one seed; from many: `npm run sim -- --faults --seeds 100`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faults, lived } from './faults.ts'

const LETTERS = 8

for (const fault of faults) {
  // Two nodes that look at their store for six days take seconds: town.test.ts has storms of them.
  if (fault.nodes !== undefined) continue
  test(fault.name, async () => {
    const { broken, taken } = await lived(fault, 1, LETTERS)
    assert.deepEqual(broken, [])
    assert.ok(taken >= LETTERS, 'all that was sent was taken in the end')
  })
}
