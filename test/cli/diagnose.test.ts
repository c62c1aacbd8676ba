/** `diagnose` of our own server, which is the demo: nothing that is meant to be so is a fault. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear, run, startServer } from '../kit/server.ts'

after(clear)

test('the demo has no fault: its name is for tests, its certificate is its own', async () => {
  const { data } = await startServer()
  const { out, code } = await run(['diagnose', '--data', data])
  assert.equal(code, 0, out)
  assert.match(out, /^0 faults, \d+ warnings?\n {2}WARNING certificate-self-signed: /)
  assert.match(out, /\ndemo\.test\n {2}names \(0 ms\)\n {4}note +name-for-tests: /)
})
