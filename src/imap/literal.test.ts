/** What goes into a literal of which kind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantsLiteral8, withoutNul } from './literal.ts'

const octets = (text: string) => Buffer.from(text, 'latin1')

async function* streamed(...texts: readonly string[]) {
  for (const text of texts) yield octets(text)
}

test('a literal8 is for what holds NUL, or may', () => {
  assert.equal(wantsLiteral8({ content: octets('abc') }), false)
  assert.equal(wantsLiteral8({ content: octets('a\0c') }), true)
  assert.equal(wantsLiteral8({ content: streamed('abc') }), true)
  assert.equal(wantsLiteral8({ content: streamed('abc'), noNul: true }), false)
})

test('in a plain literal another octet stands for NUL, and what is stored stays', async () => {
  const stored = octets('a\0b\0')
  assert.deepEqual(Buffer.from(withoutNul({ content: stored }) as Uint8Array), octets('a\x80b\x80'))
  assert.deepEqual(stored, octets('a\0b\0'))
  const plain = octets('abc')
  assert.equal(withoutNul({ content: plain }), plain)
  const told: Uint8Array[] = []
  for await (const piece of withoutNul({
    content: streamed('a', '\0', 'b\0'),
  }) as AsyncIterable<Uint8Array>)
    told.push(piece)
  assert.deepEqual(Buffer.concat(told), octets('a\x80b\x80'))
})
