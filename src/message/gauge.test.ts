import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kindOf } from './encode.ts'
import { Gauge } from './gauge.ts'

function gauge(octets: Uint8Array, cut = octets.length): Gauge {
  const made = new Gauge()
  for (let at = 0; at < octets.length; at += cut) made.push(octets.subarray(at, at + cut))
  return made.end()
}

/** As RFC 2045 §2.7 to §2.9 say it. */
function kind(g: Gauge): string {
  if (g.nul || g.bareLineEnds > 0 || g.longLine) return 'binary'
  return g.eightBit > 0 ? '8bit' : '7bit'
}

test('octets are of the kind that one look at all of them says', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\r',
      '\n',
      '\0',
      'a',
      '\xe9',
      ' ',
      'x'.repeat(70),
      '\x0e\x7f',
      'x'.repeat(997),
      'x'.repeat(999),
    ),
  )
  const any = fc.array(piece, { maxLength: 12 }).map(all => Buffer.from(all.join(''), 'latin1'))
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 9 }), (octets, cut) => {
      assert.equal(kind(gauge(octets, cut)), kindOf(octets))
      assert.deepEqual(gauge(octets, cut), gauge(octets))
    }),
  )
})

test('an octet counts wherever it stands', () => {
  const plain = Buffer.alloc(400, 'x')
  for (const octet of [0, 9, 10, 13, 14, 127, 128, 255]) {
    for (let at = 100; at < 110; at++) {
      for (let from = 0; from < 4; from++) {
        const octets = Buffer.from(plain)
        octets[at] = octet
        const { eightBit, bareLineEnds, nul } = gauge(octets.subarray(from))
        const found = [eightBit, bareLineEnds, nul ? 1 : 0]
        assert.deepEqual(found, [
          octet > 127 ? 1 : 0,
          [10, 13].includes(octet) ? 1 : 0,
          octet === 0 ? 1 : 0,
        ])
      }
    }
  }
})

for (const [text, eightBit, bare, long] of [
  ['', 0, 0, false],
  ['\r', 0, 1, false],
  ['a\r\r\nb\n', 0, 2, false],
  ['\xff\xfe\r\n', 2, 0, false],
  [`${'a'.repeat(998)}\r\n`, 0, 0, false],
  [`${'a'.repeat(999)}\r\n`, 0, 0, true],
  ['a'.repeat(999), 0, 0, true],
] as const) {
  test(`${JSON.stringify(text.slice(0, 12))} of ${text.length} is gauged`, () => {
    for (const cut of [1, 7, 5000]) {
      const g = gauge(Buffer.from(text, 'latin1'), cut)
      assert.deepEqual([g.eightBit, g.bareLineEnds, g.longLine], [eightBit, bare, long])
    }
  })
}
