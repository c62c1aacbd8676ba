/** The storm of logins in its small form: guesses keep nobody out who may come in. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear, startServer } from '../kit/server.ts'
import { flood, STORM_SETTINGS, steady } from './login-storm.ts'

after(clear)

test('while eighty connections guess, who logged in before and who comes from elsewhere get in', async context => {
  const server = await startServer({ set: STORM_SETTINGS })
  const scram = await steady(server, 'SCRAM-SHA-256', 50, 1)
  const plain = await steady(server, 'PLAIN', 50, 1)
  assert.equal(scram.logins + plain.logins, 100)
  const { known, strangers, later } = await flood(server, {
    ...{ connections: 80, from: 'few', times: 1, rushMs: 500 },
    ...{ at: ['imap'], doors: ['imap', 'submissions'] },
  })
  context.diagnostic(JSON.stringify({ known, strangers, later }))
  // More wait than the line holds, or nothing is shown. The time itself is the machine's affair: npm run logins.
  assert.ok(later > 0)
  assert.deepEqual([known.length, strangers.length], [2, 2])
  assert.deepEqual(
    known.map(each => each.later),
    [0, 0],
  )
  await server.stop('SIGKILL')
})
