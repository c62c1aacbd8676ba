/** SIGKILL under load, in a small form; `npm run torture` has the long one. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear } from '../kit/server.ts'
import { killUnderLoad } from './kill.ts'

after(clear)

test('what was acknowledged survives SIGKILL, once, octet for octet, and nothing else is left', async context => {
  const report = await killUnderLoad({
    rounds: 2,
    senders: 6,
    // The first messages behind a start are slow, and one of those acknowledged must be for elsewhere.
    workMs: [700, 1_100],
    restMs: 15,
    random: Math.random,
  })
  context.diagnostic(JSON.stringify(report))
  // Some, however slow the machine is just now.
  assert.ok(report.acknowledged > 5, JSON.stringify(report))
  assert.ok(report.relayed > 0)
  assert.equal(report.stagedLeft, 0)
})
