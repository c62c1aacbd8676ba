import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Storm, storm } from './storm.ts'

/** Other seeds by hand: `npm run sim -- --seed 100 --seeds 1000`. */
const SEEDS = [1, 2, 3]
let last: Storm

test('whatever goes wrong, what was taken arrives once or is reported', async t => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async () => {
      last = await storm({ seed, hours: 6 })
      assert.deepEqual(last.broken, [], `again: npm run sim -- --seed ${seed}`)
    })
  }
})

test('a seed is one run', async () => {
  const again = await storm({ seed: SEEDS.at(-1) ?? 0, hours: 6 })
  assert.deepEqual(again.town.tracer.lines, last.town.tracer.lines)
  assert.ok(again.town.tracer.lines.length > 10)
})
