/** Which domains the rules know by name: for routing.ts, and for the MSA that wants whole domains (RFC 6409 §4.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rulesOf } from './route-rules.ts'
import { settingsSchema } from './settings/settings.ts'

test('a rule for a domain names it, one for all mail names none', () => {
  const { names, relaysFor } = rulesOf(
    settingsSchema.parse({
      relayDomains: ['Node'],
      routes: [
        { match: { recipient: ['*@uucphost', '@*-lab'] }, to: 'mx' },
        { match: { recipient: ['root@*', 'remote'] }, to: 'mx' },
        { match: { sender: ['*@sales'] }, to: 'mx' },
      ],
    }),
    { has: () => false },
  )
  const known = ['node', 'UUCPHOST', 'x-lab', 'sales', 'other']
  assert.deepEqual(known.map(names), [true, true, true, false, false])
  assert.deepEqual(known.map(relaysFor), [true, false, false, false, false])
})
