import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storm } from './storm.ts'

/** Other seeds by hand: `npm run sim -- --seed 100 --seeds 1000`. */
const SEEDS = [1, 2, 3]

test('whatever goes wrong, what was taken arrives once or is reported', async t => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async () => {
      const { broken } = await storm({ seed, hours: 6 })
      assert.deepEqual(broken, [], `again: npm run sim -- --seed ${seed}`)
    })
  }
})

test('a seed is one run', async () => {
  const [first, again] = [await storm({ seed: 7, hours: 6 }), await storm({ seed: 7, hours: 6 })]
  assert.deepEqual(first.town.tracer.lines, again.town.tracer.lines)
  assert.ok(first.town.tracer.lines.length > 10)
})
