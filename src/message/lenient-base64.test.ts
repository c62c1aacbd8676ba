/** Base64 as readers find it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finished } from './gradual.ts'
import { decodingBase64 } from './lenient-base64.ts'

const decoded = (text: string) => finished(decodingBase64(Buffer.from(text, 'latin1'))).toString()

for (const [text, plain] of [
  ['', ''],
  ['aGVsbG8=', 'hello'],
  ['aGVs\r\nbG8=\r\n', 'hello'],
  [' a G*V\u00e9s!bG8', 'hello'],
  ['aGVsbG8=d29ybGQ=', 'helloworld'],
  ['aGVsbG8====\r\nd29ybGQ', 'helloworld'],
  ['a', ''],
  ['====', ''],
] as const) {
  test(`${JSON.stringify(text)} is ${JSON.stringify(plain)}`, () => {
    assert.equal(decoded(text), plain)
  })
}

test('megabytes are decoded in steps, as they are at once, wherever a step ends', () => {
  const plain = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7919) % 251))
  const lines = plain.toString('base64').replace(/.{76}/g, '$&\r\n')
  const work = decodingBase64(Buffer.from(lines))
  let steps = 0
  let step = work.next()
  for (; step.done !== true; step = work.next()) steps++
  assert.ok(steps > 5)
  assert.ok(step.value.equals(plain))
})
