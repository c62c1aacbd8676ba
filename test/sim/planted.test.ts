/** An oracle that never says no proves nothing: bugs are planted, and it must see each (planted.ts). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bugs, caughtBy } from './planted.ts'

for (const bug of bugs.filter(({ extended }) => extended !== true)) {
  test(`${bug.what} is caught`, async t => {
    const seed = await caughtBy(bug)
    assert.ok(seed !== undefined, 'no storm shows it')
    if (seed !== bug.seed) t.diagnostic(`now by seed ${seed}`)
  })
}
