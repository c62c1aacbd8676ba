import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Utf8Check } from './utf8-check.ts'

function isUtf8(octets: Uint8Array, cut: number): boolean {
  const check = new Utf8Check()
  for (let at = 0; at < octets.length; at += cut) check.push(octets.subarray(at, at + cut))
  return check.end()
}

function decodes(octets: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets)
    return true
  } catch {
    return false
  }
}

test('octets are UTF-8 where a decoder takes them', () => {
  const lead = fc.constantFrom(
    0x41,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xe1,
    0xed,
    0xef,
    0xf0,
    0xf3,
    0xf4,
    0xf5,
  )
  const tail = fc.constantFrom(0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0)
  const near = fc.tuple(lead, fc.array(tail, { maxLength: 3 })).map(([a, rest]) => [a, ...rest])
  const octets = fc.oneof(
    fc.array(near, { maxLength: 4 }).map(all => Uint8Array.from(all.flat())),
    fc.string({ unit: 'binary', maxLength: 20 }).map(text => Buffer.from(text)),
    fc.uint8Array({ maxLength: 6 }),
  )
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 9 }), (given, cut) => {
      assert.equal(isUtf8(given, cut), decodes(given))
    }),
    { numRuns: 2000 },
  )
})
