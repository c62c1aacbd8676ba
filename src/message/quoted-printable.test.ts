import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeQuotedPrintable, decodingQuotedPrintable } from './quoted-printable.ts'

const decoded = (text: string) =>
  decodeQuotedPrintable(Buffer.from(text, 'latin1')).toString('latin1')

const rows: readonly (readonly [name: string, text: string, plain: string])[] = [
  ['an octet in hexadecimal', 'caf=C3=A9', 'caf\xc3\xa9'],
  ['small letters', '=c3=a9', '\xc3\xa9'],
  ['a soft line break', 'one=\r\ntwo', 'onetwo'],
  ['a soft line break of LF alone', 'one=\ntwo', 'onetwo'],
  ['a soft line break with blanks behind it', 'one = \t\r\ntwo', 'one two'],
  ['blanks at the end of a line', 'one \t\r\ntwo\t\n', 'one\r\ntwo\n'],
  ['blanks at the end of the text', 'one \t', 'one'],
  ['blanks that are coded stay', 'one=20\r\ntwo=09', 'one \r\ntwo\t'],
  ['blanks before a soft line break stay', 'one  =\r\n', 'one  '],
  ['blanks before CR alone stay', 'one \rtwo', 'one \rtwo'],
  ['what is no code stays', '=G0 =4 = ==41=', '=G0 =4 = =A='],
  ['octets beyond ASCII stay', '\xff\0', '\xff\0'],
]
for (const [name, text, plain] of rows) {
  test(`quoted-printable: ${name}`, () => assert.equal(decoded(text), plain))
}

/** The same by patterns, which are not linear. */
function byPatterns(text: string): string {
  return text
    .replace(/[ \t]+(?=\r?\n|$)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
}

test('quoted-printable: any octets, as the patterns of the RFC read them', () => {
  // CR alone has a row of its own above.
  const units = fc.constantFrom(' ', '\t', '\r\n', '\n', '=', 'x', '=41', '=2', '=0A', '=20')
  const texts = fc.array(units, { maxLength: 20 }).map(all => all.join(''))
  fc.assert(
    fc.property(
      // A code that a soft break cuts in two is none here; the patterns put it together.
      texts.filter(text => !/=[0-9A-Fa-f]?=[ \t]*\r?\n/.test(text)),
      text => assert.equal(decoded(text), byPatterns(text)),
    ),
    { numRuns: 2000 },
  )
})

test('quoted-printable: a megabyte of blanks, or of breaks that are none, takes no time to speak of', () => {
  for (const text of [`${' '.repeat(1_000_000)}x`, '= '.repeat(500_000), '='.repeat(1_000_000)]) {
    const { user } = process.cpuUsage()
    assert.ok(decoded(text).length > 0)
    // By patterns this took an hour.
    assert.ok(process.cpuUsage().user - user < 5_000_000)
  }
})

test('quoted-printable: megabytes are decoded in steps, as they are at once, wherever a step ends', () => {
  const octets = Buffer.from('a=41 =\r\n\t \r\nb= c'.repeat(10_000))
  const work = decodingQuotedPrintable(octets)
  let steps = 0
  let step = work.next()
  for (; step.done !== true; step = work.next()) steps++
  assert.ok(steps > 5)
  assert.equal(step.value.toString(), 'aA \r\nb= c'.repeat(10_000))
})
