import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLimits } from './limits.ts'

const cases: readonly (readonly [string, object])[] = [
  ['MAILMAX=10 RCPTMAX=100 RCPTDOMAINMAX=1', { mails: 10, recipients: 100, domains: 1 }],
  ['rcptmax=5', { recipients: 5 }],
  ['  RCPTMAX=5   MAILMAX=999999 ', { recipients: 5, mails: 999_999 }],
  ['RCPTMAX=0 MAILMAX=1000000 RCPTDOMAINMAX=01', {}],
  ['RCPTMAX=-1 MAILMAX=x RCPTDOMAINMAX', {}],
  ['RCPTMAX=9;MAILMAX=3', {}],
  ['X-MORE=7 FLAG RCPTMAX=5', { recipients: 5 }],
  ['RCPTMAX=9 RCPTMAX=5 RCPTMAX=7', { recipients: 5 }],
  ['constructor=5 __proto__=5 toString=5', {}],
  ['', {}],
]

for (const [text, limits] of cases) {
  test(`"${text}" is read as ${JSON.stringify(limits)}`, () => {
    assert.deepEqual(parseLimits(text), limits)
  })
}
