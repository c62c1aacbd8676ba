import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeWords, encodeParameter, encodeWords, isPlainText } from './encoded-word.ts'

for (const [text, expected] of [
  ['plain', 'plain'],
  ['=?ISO-8859-1?Q?a?=', 'a'],
  ['=?ISO-8859-1?Q?a?= b', 'a b'],
  ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
  ['=?ISO-8859-1?Q?a?=  =?UTF-8?Q?b?=', 'ab'],
  ['=?ISO-8859-1?Q?a_b?=', 'a b'],
  ['x =?ISO-8859-1?Q?a?= y', 'x a y'],
  ['=?US-ASCII*EN?Q?Keith_Moore?=', 'Keith Moore'],
  ['=?utf-8?b?w6k=?=', '\u00e9'],
  ['=?UTF-8?B?w6k?=', '\u00e9'],
  ['=?UTF-8?B?w?= =?UTF-8?B?6k?=', '\u0000'.replace('\u0000', '\ufffd')],
  ['=?UTF-8?Q?=C3?= =?UTF-8?Q?=A9?=', '\u00e9'],
  ['=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=', '\u30c6\u30b9\u30c8'],
  ['=?koi8-r?B?9MXT1A==?=', '\u0422\u0435\u0441\u0442'],
  ['=?UTF-8?Q?a b?=', 'a b'],
  ['=?no-such-charset?Q?a?= =?UTF-8?Q?b?=', '=?no-such-charset?Q?a?= b'],
  ['=?UTF-8?Q?a?= =?no-such?Q?a?=', 'a =?no-such?Q?a?='],
  ['=?UTF-8?X?a?=', '=?UTF-8?X?a?='],
  ['=?UTF-8?Q?open', '=?UTF-8?Q?open'],
  ['=?=?=?', '=?=?=?'],
  ['=?UTF-8?Q?a=0D=0ABcc:_x=00?=', 'a  Bcc: x '],
  ['=?UTF-8?Q?=ZZ=?=', '=ZZ='],
  ['=?UTF-8?Q??=', ''],
] as const) {
  test(`${JSON.stringify(text)} is shown as ${JSON.stringify(expected)}`, () => {
    assert.equal(decodeWords(text), expected)
  })
}

test('any text comes back from its encoded-words, each of at most 75 characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      const encoded = encodeWords(text)
      for (const word of encoded.split(' ')) assert.ok(word.length <= 75, word)
      assert.ok(isPlainText(encoded.replaceAll('=?', '')))
      const shown = text.toWellFormed().replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ')
      assert.equal(decodeWords(encoded).replace(/^\ufeff/, ''), shown.replace(/^\ufeff/, ''))
    }),
    { numRuns: 100 },
  )
})

test('parameters are tokens, quoted strings, or RFC 2231', () => {
  assert.deepEqual(encodeParameter('filename', 'a.txt'), ['filename=a.txt'])
  assert.deepEqual(encodeParameter('filename', 'a "b".txt'), ['filename="a \\"b\\".txt"'])
  assert.deepEqual(encodeParameter('filename', 'a\u00e9.txt'), ["filename*=UTF-8''a%C3%A9.txt"])
  assert.deepEqual(encodeParameter('filename', 'a\r\nb'), ["filename*=UTF-8''a%0D%0Ab"])
  const long = encodeParameter('filename', '\u00e9'.repeat(40))
  assert.match(long[0] ?? '', /^filename\*0\*=UTF-8''%C3/)
  assert.match(long[1] ?? '', /^filename\*1\*=%/)
  const value = long
    .map(piece => piece.replace(/^[^=]*=/, ''))
    .join('')
    .slice("UTF-8''".length)
  assert.equal(decodeURIComponent(value), '\u00e9'.repeat(40))
})

test('hostile megabytes are decoded quickly', () => {
  const started = process.cpuUsage()
  for (const text of [
    '=?u?q?'.repeat(170_000),
    '=?u?q? '.repeat(150_000),
    '=?'.repeat(500_000),
    `=?u?q?${'a'.repeat(1_000_000)}`,
    `=?utf-8?q?${'=3D'.repeat(330_000)}?=`,
    '=?utf-8?q?a?= '.repeat(70_000),
  ]) {
    decodeWords(text)
  }
  assert.ok(process.cpuUsage(started).user < 8000_000)
})
