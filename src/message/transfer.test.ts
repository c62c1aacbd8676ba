import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  base64,
  canonicalLines,
  mendedBase64,
  mendedQuotedPrintable,
  quotedPrintable,
  type Recoding,
} from './transfer.ts'

function through(make: () => Recoding, octets: Uint8Array, cut = 1e9, last = false): string {
  const recoding = make()
  const out: Buffer[] = []
  for (let at = 0; at < octets.length; at += cut) {
    out.push(Buffer.from(recoding.push(octets.subarray(at, at + cut))))
  }
  out.push(Buffer.from(recoding.end(last)))
  return Buffer.concat(out).toString('latin1')
}

/** RFC 2045 §6.7 read by the letter. */
function decoded(text: string): Buffer {
  const joined = text.replace(/=\r\n/g, '')
  const latin = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(latin, 'latin1')
}

const texty = fc
  .array(
    fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', '=', '--', '.', 'From ', '\xff', '\0', 'word'),
  )
  .map(all => Buffer.from(all.join(''), 'latin1'))
const octets = fc.oneof(texty, fc.uint8Array({ maxLength: 300 }))
const cuts = fc.integer({ min: 1, max: 90 })

test('quoted-printable comes back, however it was cut, in rows that nothing can take amiss', () => {
  fc.assert(
    fc.property(octets, cuts, fc.boolean(), (given, cut, last) => {
      const text = through(quotedPrintable, given, cut, last)
      assert.equal(text, through(quotedPrintable, given, 1e9, last))
      assert.deepEqual(decoded(text), Buffer.from(given))
      for (const row of text.split('\r\n')) {
        assert.ok(row.length <= 76, row)
        assert.match(row, /^[\t -~]*$/)
        assert.doesNotMatch(row, /[ \t]$|^-|^\.|^From /)
      }
      if (last) assert.match(text, /\r\n$|^$/)
    }),
  )
})

test('base64 comes back, in rows of 76', () => {
  fc.assert(
    fc.property(octets, cuts, fc.boolean(), (given, cut, last) => {
      const text = through(base64, given, cut, last)
      assert.equal(text, through(base64, given, 1e9, last))
      assert.deepEqual(Buffer.from(text, 'base64'), Buffer.from(given))
      for (const row of text.split('\r\n')) assert.ok(row.length <= 76)
      assert.equal(text.endsWith('\r\n'), last && given.length > 0)
    }),
  )
})

test('lone line ends become CRLF before text is encoded', () => {
  fc.assert(
    fc.property(octets, cuts, (given, cut) => {
      const text = through(() => canonicalLines(base64()), given, cut)
      const wanted = Buffer.from(given)
        .toString('latin1')
        .replace(/\r\n|\r|\n/g, '\r\n')
      assert.equal(Buffer.from(text, 'base64').toString('latin1'), wanted)
    }),
  )
})

test('broken base64 is written anew and says the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (given, cut) => {
      const junk = Buffer.from(given)
        .toString('base64')
        .replace(/(.{50})/g, '$1\xff\n \0')
      const text = through(mendedBase64, Buffer.from(junk, 'latin1'), cut)
      assert.match(text, /^(?:[A-Za-z0-9+/=]{76}\r\n)*[A-Za-z0-9+/=]{0,76}$/)
      assert.deepEqual(Buffer.from(text, 'base64'), Buffer.from(given))
    }),
  )
})

test('broken quoted-printable keeps what was encoded and encodes the rest', () => {
  const make = () => canonicalLines(mendedQuotedPrintable())
  const mend = (text: string) => through(make, Buffer.from(text, 'latin1'))
  assert.equal(mend('a=3Db =\r\nc\xff\n\0'), 'a=3Db =\r\nc=FF\r\n=00')
  fc.assert(
    fc.property(fc.array(fc.constantFrom('=3D', 'a', '\xfe', ' -'), { maxLength: 3000 }), all => {
      const text = mend(all.join(''))
      assert.deepEqual(decoded(text), decoded(all.join('')))
      for (const row of text.split('\r\n')) assert.ok(row.length <= 910, `${row.length}`)
    }),
    { numRuns: 30 },
  )
})
