/** A buffer goes to somebody else only once nobody needs what is in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeFor } from './chunks.ts'
import { Lending, lentBehind } from './lending.ts'

const body = Buffer.from('x'.repeat(100_000))

/** Whether its buffer is the next one that somebody takes. */
function isFree(octets: Uint8Array | undefined): boolean {
  return takeFor(body.length).buffer === octets?.buffer
}

test('lent octets stay until they are over and given back as often as they were taken', () => {
  const lending = new Lending(body)
  const [first] = lending.take()
  lending.take()
  lending.end()
  lending.giveBack()
  assert.ok(!isFree(first))
  assert.deepEqual(first, body)
  assert.throws(() => lending.take(), /behind their end/)
  lending.giveBack()
  assert.ok(isFree(first))
})

test('what nobody took is free once it is over, and only once', () => {
  const lending = new Lending(body)
  const [octets] = lending.take()
  lending.giveBack()
  assert.ok(!isFree(octets))
  lending.end()
  lending.end()
  assert.ok(isFree(octets))
  assert.ok(!isFree(octets))
})

test('what stands before lent octets leaves with them, and they say the same of themselves', () => {
  const lent = lentBehind(Buffer.from('A: 1\r\n'), new Lending(body, '7bit'))
  assert.equal(Buffer.concat(lent.take()).length, 6 + body.length)
  assert.equal(lent.plain, '7bit')
})
