/** The storm of logins in its small form: guesses keep nobody waiting who may come in. */
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
  const { known, fresh, later } = await flood(server, 80, 0.5)
  context.diagnostic(JSON.stringify({ known, fresh, later }))
  // More wait than the line holds, or nothing is shown. The time itself is the machine's affair: npm run logins.
  assert.ok(later > 0)
  assert.ok(known.length > 0 && fresh.length > 0)
  await server.stop('SIGKILL')
})
