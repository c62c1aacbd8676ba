import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  encodeBase64,
  encodeOctets,
  encodeQuotedPrintable,
  encodeText,
  kindOf,
  withCrlf,
} from './encode.ts'

/** RFC 2045 §6.7 read by the letter. */
function decode(text: string): Buffer {
  const joined = text.replace(/=\r\n/g, '')
  const latin = joined.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(latin, 'latin1')
}

function assertLines(text: string): void {
  for (const line of text.split('\r\n')) {
    assert.ok(line.length <= 76, line)
    assert.match(line, /^[\t -~]*$/)
    assert.doesNotMatch(line, /[ \t]$/)
  }
}

test('quoted-printable comes back, in lines of at most 76 printable characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      const encoded = encodeQuotedPrintable(text)
      assertLines(encoded)
      assert.equal(decode(encoded).toString(), withCrlf(text).toWellFormed())
    }),
  )
})

test('octets as quoted-printable come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), octets => {
      const encoded = encodeOctets(octets)
      assertLines(encoded)
      assert.deepEqual(decode(encoded), Buffer.from(octets))
    }),
  )
})

for (const [text, expected] of [
  ['a=b', 'a=3Db'],
  ['end ', 'end=20'],
  ['end\t\r\nx', 'end=09\r\nx'],
  ['.', '=2E'],
  ['From me', '=46rom me'],
  ['Fromage', 'Fromage'],
  ['\u00e9', '=C3=A9'],
  ['a'.repeat(76), 'a'.repeat(76)],
  ['a'.repeat(77), `${'a'.repeat(75)}=\r\naa`],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} of ${text.length} is quoted-printable`, () => {
    assert.equal(encodeQuotedPrintable(text), expected)
  })
}

test('text goes as it is only where no relay would touch it', () => {
  assert.equal(encodeText('hello\nyou\n').encoding, '7bit')
  assert.equal(encodeText('hello\nyou\n').text, 'hello\r\nyou\r\n')
  assert.equal(encodeText('.').encoding, 'quoted-printable')
  assert.equal(encodeText('x'.repeat(100)).encoding, 'quoted-printable')
  assert.equal(encodeText('caf\u00e9 au lait').encoding, 'quoted-printable')
  assert.equal(encodeText('\u30c6\u30b9\u30c8').encoding, 'base64')
})

test('base64 has lines of 76', () => {
  const text = encodeBase64(Buffer.alloc(200, 1))
  assert.deepEqual(
    text.split('\r\n').map(line => line.length),
    [76, 76, 76, 40],
  )
  assert.equal(encodeBase64(new Uint8Array(0)), '')
})

for (const [text, kind] of [
  ['', '7bit'],
  ['a\r\nb\r\n', '7bit'],
  ['a', '7bit'],
  ['a\xe9\r\n', '8bit'],
  ['a\0\r\n', 'binary'],
  ['a\nb\r\n', 'binary'],
  ['a\rb\r\n', 'binary'],
  ['a\r\r\n', 'binary'],
  ['a\r', 'binary'],
  ['\n', 'binary'],
  [`${'a'.repeat(998)}\r\n`, '7bit'],
  [`${'a'.repeat(999)}\r\n`, 'binary'],
  ['a'.repeat(999), 'binary'],
] as const) {
  test(`${JSON.stringify(text.slice(0, 10))} of ${text.length} octets is ${kind}`, () => {
    assert.equal(kindOf(Buffer.from(text, 'latin1')), kind)
  })
}

test('a megabyte of any kind is looked at quickly', () => {
  const started = process.cpuUsage()
  kindOf(Buffer.from('\r\n'.repeat(500_000)))
  kindOf(Buffer.from('\n'.repeat(1_000_000)))
  kindOf(Buffer.alloc(1_000_000, 13))
  kindOf(Buffer.from('a'.repeat(998).concat('\r\n').repeat(1000)))
  assert.ok(process.cpuUsage(started).user < 5000_000)
})
