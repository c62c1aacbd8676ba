import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storm } from './storm.ts'

/** Other seeds by hand: `npm run sim -- --seed 100 --count 1000`. */
const SEEDS = Array.from({ length: 20 }, (_, n) => n + 1)

test('whatever goes wrong, what was taken arrives once or is reported', async t => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async () => {
      const { broken } = await storm(seed)
      assert.deepEqual(broken, [], `again: node test/sim/run.ts --seed ${seed}`)
    })
  }
})

test('a seed is one run', async () => {
  const [first, again] = [await storm(7), await storm(7)]
  assert.deepEqual(first.town.tracer.lines, again.town.tracer.lines)
  assert.ok(first.town.tracer.lines.length > 10)
})
