/** Fields beyond ASCII for a hop without 8BITMIME (RFC 6152 §3): rewrite.test.ts has them in their messages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scanHeader } from './header.ts'
import { plainField } from './plain-field.ts'

const rows: readonly (readonly [what: string, field: string, plain: string])[] = [
  ['what is ASCII stays octet for octet', 'Subject:  a\r\n\tb \r\n', 'Subject:  a\r\n\tb \r\n'],
  ['free text', 'Subject: é\r\n', 'Subject: =?UTF-8?B?w6k=?=\r\n'],
  ['ASCII beside it', 'X-A: a é b c d e f g h\r\n', 'X-A: =?UTF-8?Q?a_=C3=A9_b_c_d_e_f_g_h?=\r\n'],
  ['a group', 'To: ä: a@b.test;\r\n', 'To: =?UTF-8?B?w6Q=?=: a@b.test;\r\n'],
  ['a type that is none', 'Content-Type: té/x; a=b\r\n', 'Content-Type: t??/x; a=b\r\n'],
  [
    'a parameter without quotes, and one behind it',
    'Content-Type: a/b; name=é.txt; charset=utf-8\r\n',
    "Content-Type: a/b; name*=UTF-8''%C3%A9.txt; charset=utf-8\r\n",
  ],
  [
    'a boundary beyond ASCII is left: the lines that it names are, too',
    'Content-Type: multipart/mixed; boundary=é\r\n',
    'Content-Type: multipart/mixed; boundary=é\r\n',
  ],
  ['a name that no field bears', 'é: 1\r\n', '??: 1\r\n'],
]
for (const [what, field, plain] of rows) {
  test(what, () => assert.equal(plainField(Buffer.from(field)).toString(), plain))
}

test('whatever a field holds, it comes out as one field of its name, in ASCII', () => {
  const name = fc.constantFrom('Subject', 'To', 'Content-Disposition', 'Content-Type', 'Received')
  const piece = fc.constantFrom(
    'é',
    '\xff',
    'a',
    ' ',
    ';',
    '"',
    '\\',
    '=',
    '<',
    '>',
    ',',
    '@',
    '(',
    '\r\n ',
    'name',
  )
  fc.assert(
    fc.property(name, fc.array(piece, { maxLength: 60 }), (name, pieces) => {
      const plain = plainField(Buffer.from(`${name}: x${pieces.join('')}\r\n`, 'latin1'))
      assert.doesNotMatch(plain.toString('latin1'), /[^\x00-\x7f]/)
      const { fields } = scanHeader(Buffer.concat([plain, Buffer.from('A: 1\r\n\r\n')]))
      assert.deepEqual(
        fields.map(each => each.name),
        [name.toLowerCase(), 'a'],
      )
    }),
    { numRuns: 300 },
  )
})
