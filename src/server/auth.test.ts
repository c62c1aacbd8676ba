/** Which mechanisms a listener offers without a word of the config. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mechanismsAt } from './auth.ts'
import { settingsSchema } from './settings.ts'

test('submission does not offer what mutt chooses and cannot do, unless it is named', () => {
  const usual = settingsSchema.parse({})
  for (const name of ['submission', 'submissions'] as const) {
    const offered = mechanismsAt(usual, name)
    assert.equal(offered.includes('SCRAM-SHA-256-PLUS'), false)
    assert.ok(offered.includes('SCRAM-SHA-512-PLUS') && offered.includes('SCRAM-SHA-256'))
  }
  assert.ok(mechanismsAt(usual, 'imaps').includes('SCRAM-SHA-256-PLUS'))
  const named = settingsSchema.parse({ auth: { mechanisms: ['SCRAM-SHA-256-PLUS'] } })
  assert.deepEqual(mechanismsAt(named, 'submissions'), ['SCRAM-SHA-256-PLUS'])
})
