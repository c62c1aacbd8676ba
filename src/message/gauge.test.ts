import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotScanner, dotEnding, dotStuffing } from '../wire/dot.ts'
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

test('what the receiver found plain as it came is what a look at all of it would say, and leaves as it is', () => {
  const piece = fc.constantFrom(
    ...['\r\n', '\r\n', 'a', '.', '..', '\r\n.', '\xe9', '\n', '\r', '\0'],
    ...['x'.repeat(997), 'x'.repeat(998)],
  )
  const any = fc
    .array(piece, { maxLength: 9 })
    .map(all => Buffer.from(`${all.join('')}\r\n`, 'latin1'))
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 1100 }), (content, cut) => {
      const stuffing = dotStuffing('keep')
      const wire = Buffer.concat([stuffing.push(content), stuffing.end()])
      const scanner = new DotScanner(() => {}, false)
      for (let at = 0; at < wire.length; at += cut) {
        scanner.scan(wire, at, Math.min(wire.length, at + cut))
      }
      const looked = gauge(content)
      const plain = kind(looked) !== 'binary' && !looked.dotted
      // A lone CR or LF before a dot is mended on its way, and the line is a dotted one.
      if (looked.bareLineEnds === 0) assert.equal(scanner.plain, plain)
      if (!plain) return
      const [whole, passed] = [new Gauge(), new Gauge()]
      for (const one of [whole, passed]) one.push(Buffer.from('Received: by us\r\n'))
      whole.push(content)
      passed.passed(content, kind(looked) as '7bit' | '8bit')
      assert.equal(kind(passed.end()), kind(whole.end()))
      assert.equal(passed.octets, whole.octets)
      const [ending, asEver] = [dotEnding(), dotStuffing()]
      const sent = (transform: typeof ending) =>
        Buffer.concat([transform.push(content), transform.end()])
      assert.deepEqual(sent(ending), sent(asEver))
    }),
  )
})

test('a line that begins with a dot is seen wherever it is cut', () => {
  const rows: [string, boolean][] = [
    ['.a\r\n', true],
    ['a\r\n.b\r\n', true],
    ['a.\r\nb.c\r\n', false],
    ['a\r\n\r\n.', true],
  ]
  for (const [text, dotted] of rows) {
    for (const cut of [1, 2, 3, 100])
      assert.equal(gauge(Buffer.from(text), cut).dotted, dotted, text)
  }
})
