import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewriting } from './rewrite.ts'
import { Surveyor, type Wanted } from './survey.ts'

const seven: Wanted = { most: '7bit', binary: false, shortLines: true }
const eight: Wanted = { ...seven, most: '8bit' }
const binary = (wanted: Wanted): Wanted => ({ ...wanted, binary: true })

/** 'fits', why it is impossible, or the message as it is converted. */
function convert(text: string, wanted: Wanted, cut = 1e9): string {
  const octets = Buffer.from(text, 'latin1')
  const surveyor = new Surveyor(wanted)
  for (let at = 0; at < octets.length; at += cut) surveyor.push(octets.subarray(at, at + cut))
  const survey = surveyor.survey()
  if (survey.kind !== 'convert') return survey.kind === 'fits' ? 'fits' : survey.reason
  const rewriter = rewriting(survey)
  const out: Uint8Array[] = []
  for (let at = 0; at < octets.length; at += cut) {
    out.push(Buffer.from(rewriter.push(octets.subarray(at, at + cut))))
  }
  return Buffer.concat([...out, rewriter.end()]).toString('latin1')
}

const lines = (...all: readonly string[]) => all.map(line => `${line}\r\n`).join('')
const mixed = 'Content-Type: multipart/mixed; boundary=b'
const signed = [
  mixed,
  '',
  '--b',
  'Content-Type: multipart/signed; boundary=s',
  '',
  '--s',
  '',
] as const

/** Name, what the hop takes, the message, and what becomes of it. */
const rows: readonly (readonly [string, Wanted, string, string])[] = [
  ['7-bit mail', seven, lines('A: 1', '', 'hello'), 'fits'],
  ['8-bit mail to a hop with 8BITMIME', eight, lines('A: 1', '', 'caf\xe9'), 'fits'],
  ['a raw 8-bit header to a hop with 8BITMIME', eight, lines('Subject: caf\xe9', '', 'x'), 'fits'],
  [
    'a raw 8-bit header (RFC 6152 §3)',
    seven,
    lines('Received: x', 'Subject: caf\xe9', 'A: 1', '', 'hello'),
    lines('Received: x', 'Subject: =?UTF-8?Q?caf=C3=A9?=', 'A: 1', '', 'hello'),
  ],
  [
    'names and addresses beyond ASCII, on several lines',
    seven,
    lines('From: J\xc3\xb6rg', ' <j@x.test>,', '\t\xc3\xa4@x.test', 'To: b@x.test', '', 'hello'),
    lines(
      'From: =?UTF-8?Q?J=C3=B6rg?= <j@x.test>, =?UTF-8?Q?=C3=A4=40x=2Etest?=',
      ' <invalid@internationalized-address.invalid>',
      'To: b@x.test',
      '',
      'hello',
    ),
  ],
  [
    'what is no list of addresses, and a field that nobody knows',
    seven,
    lines('Cc: \xe9, <', 'Z: \xe9', '', 'hello'),
    lines('Cc: =?UTF-8?B?w6ksIDw=?=', 'Z: =?UTF-8?B?w6k=?=', '', 'hello'),
  ],
  [
    'a type that is written anew',
    seven,
    lines('MIME-Version: 1.0', 'Content-Type: text/plain; x=\xe9', '', 'caf\xe9'),
    lines(
      'MIME-Version: 1.0',
      "Content-Type: text/plain; x*=UTF-8''%C3%A9; charset=unknown-8bit",
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9',
    ),
  ],
  [
    'a header that nothing ends',
    seven,
    'A: 1\r\nSubject: \xe9',
    lines('A: 1', 'Subject: =?UTF-8?B?w6k=?='),
  ],
  [
    'the headers of parts',
    seven,
    lines(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Disposition: attachment; size=1; filename="caf\xe9 \\"1\\".txt"',
      '',
      'caf\xe9',
      '--b--',
    ),
    lines(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Disposition: attachment; size=1;',
      " filename*=UTF-8''caf%C3%A9%20%221%22.txt",
      'Content-Type: text/plain;',
      ' charset=unknown-8bit',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9',
      '--b--',
    ),
  ],
  [
    'text that says nothing of itself (RFC 1428 §3)',
    seven,
    lines('A: 1', '', 'caf\xe9'),
    lines(
      'A: 1',
      'MIME-Version: 1.0',
      'Content-Type: text/plain;',
      ' charset=unknown-8bit',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9',
    ),
  ],
  [
    'text that is UTF-8',
    seven,
    lines('MIME-Version: 1.0', 'Content-Type: text/plain; format=flowed;', '', 'caf\xc3\xa9'),
    lines(
      'MIME-Version: 1.0',
      'Content-Type: text/plain; format=flowed;',
      ' charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=C3=A9',
    ),
  ],
  [
    'a charset that is said, an encoding that is said twice, and no last line end',
    seven,
    `${lines(
      'content-transfer-encoding: 8bit',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset="iso-8859-1"',
      'Content-Transfer-Encoding:',
      ' BINARY',
      '',
    )}caf\xe9`,
    lines(
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset="iso-8859-1"',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9=',
    ),
  ],
  [
    'text with line ends of LF alone',
    seven,
    'MIME-Version: 1.0\nContent-Type: text/html\n\ncaf\xe9\ntwo\n',
    'MIME-Version: 1.0\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\r\n\ncaf=E9\r\ntwo\r\n',
  ],
  [
    'text in a script of its own',
    seven,
    lines(
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=koi8-r',
      '',
      '\xf0\xf2\xe9\xf7\xe5\xf4',
    ),
    lines(
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=koi8-r',
      'Content-Transfer-Encoding: base64',
      '',
      '8PLp9+X0DQo=',
    ),
  ],
  [
    'a picture',
    eight,
    `${lines('MIME-Version: 1.0', 'Content-Type: image/png', 'Content-Transfer-Encoding: binary', '')}\x89PNG\r\n\x1a\n\0`,
    lines(
      'MIME-Version: 1.0',
      'Content-Type: image/png',
      'Content-Transfer-Encoding: base64',
      '',
      'iVBORw0KGgoA',
    ),
  ],
  [
    'text whose LF is data',
    binary(eight),
    lines('MIME-Version: 1.0', 'Content-Transfer-Encoding: binary', '', 'a\nb'),
    lines('MIME-Version: 1.0', 'Content-Transfer-Encoding: base64', '', 'YQpiDQo='),
  ],
  [
    'a label that says more than is there',
    binary(seven),
    lines('Content-Transfer-Encoding: binary', '', 'hello'),
    lines('Content-Transfer-Encoding: 7bit', '', 'hello'),
  ],
  [
    'a line of a thousand octets',
    eight,
    lines('MIME-Version: 1.0', 'Content-Type: text/plain', '', 'x'.repeat(1000)),
    lines(
      'MIME-Version: 1.0',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      ...Array.from({ length: 13 }, () => `${'x'.repeat(75)}=`),
      'x'.repeat(25),
    ),
  ],
  ['it where it may be', { ...eight, shortLines: false }, lines('', 'x'.repeat(1000)), 'fits'],
  [
    'a multipart with noise around its parts, and a message in it',
    seven,
    lines(
      'MIME-Version: 1.0',
      `${mixed}; x=\xff`,
      'Content-Transfer-Encoding: 8bit',
      '',
      'pr\xe9ambule',
      '--b',
      '',
      'hello',
      '--b',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Subject: caf\xe9',
      '',
      'caf\xe9',
      '--b--',
      '\xe9pilogue',
    ),
    lines(
      'MIME-Version: 1.0',
      `${mixed}; x*=UTF-8''%C3%BF`,
      'Content-Transfer-Encoding: 7bit',
      '',
      '',
      '--b',
      '',
      'hello',
      '--b',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Subject: =?UTF-8?Q?caf=C3=A9?=',
      'MIME-Version: 1.0',
      'Content-Type: text/plain;',
      ' charset=unknown-8bit',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9',
      '--b--',
    ),
  ],
  [
    'base64 with junk in it',
    seven,
    lines('Content-Transfer-Encoding: base64', '', 'aGVs\xa0bG8='),
    lines('Content-Transfer-Encoding: base64', 'MIME-Version: 1.0', '', 'aGVsbG8='),
  ],
  [
    'quoted-printable with 8-bit octets in it',
    seven,
    lines('MIME-Version: 1.0', 'Content-Transfer-Encoding: quoted-printable', '', 'a=3D\xe9=', 'b'),
    lines('MIME-Version: 1.0', 'Content-Transfer-Encoding: quoted-printable', '', 'a=3D=E9=', 'b'),
  ],
  ['what is signed and 7bit', seven, lines(...signed, 'hello', '--s--', '--b--'), 'fits'],
  ['what is signed and long', seven, lines(...signed, 'x'.repeat(1000), '--s--', '--b--'), 'fits'],
  [
    'what is signed and 8bit (RFC 1847 §2.1)',
    seven,
    lines(...signed, 'caf\xe9', '--s--', '--b--'),
    'a part is multipart/signed and must not be changed',
  ],
  [
    'what is encrypted and binary',
    eight,
    lines('Content-Type: multipart/encrypted; boundary=s', '', '--s', '', '\0', '--s--'),
    'a part is multipart/encrypted and must not be changed',
  ],
  [
    'a part of a message (RFC 2046 §5.2.2.1)',
    seven,
    lines('Content-Type: message/partial; id=1; number=1', '', 'A: 1', '', '\xe9'),
    'a part is message/partial and must not be changed',
  ],
  [
    'an encoding of somebody else',
    seven,
    lines('Content-Transfer-Encoding: x-uuencode', '', '\xe9'),
    'a part is text/plain and must not be changed',
  ],
  [
    'a multipart that never begins',
    seven,
    lines(mixed, '', '\xe9'),
    'a multipart/mixed is not divided into parts',
  ],
  [
    'too much of a header',
    seven,
    lines(...Array<string>(70).fill(`A: \xe9${'x'.repeat(996)}`), '', 'hello'),
    'too much of a header is beyond ASCII',
  ],
  ['a header with NUL', eight, lines('A: \0', '', 'hello'), 'a header holds NUL'],
  [
    'a body that its header runs into',
    seven,
    lines('A: 1', 'caf\xe9 au lait'),
    lines(
      'A: 1',
      'MIME-Version: 1.0',
      'Content-Type: text/plain;',
      ' charset=unknown-8bit',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=E9 au lait',
    ),
  ],
]

for (const [name, wanted, given, becomes] of rows) {
  test(`${name} is ${becomes === 'fits' ? 'left alone' : 'converted, or not'}`, () => {
    for (const cut of [1e9, 1, 5]) {
      const converted = convert(given, wanted, cut)
      assert.equal(converted, becomes, `cut at ${cut}`)
      if (/\n/.test(converted)) assert.equal(convert(converted, wanted), 'fits', 'once is enough')
    }
  })
}

test('a hostile number of parts is converted in time and in little memory', () => {
  const text = `${mixed}\r\n\r\n${'--b\r\n\r\n\xff\r\n'.repeat(20_000)}--b--\r\n`
  const started = process.cpuUsage()
  assert.ok(convert(text, seven, 65_536).length > text.length)
  assert.ok(process.cpuUsage(started).user < 5000_000, `${process.cpuUsage(started).user}`)
  assert.equal(
    convert(`${mixed}\r\n\r\n${'--b\r\n\xff\r\n'.repeat(140_000)}`, seven, 1 << 20),
    'the message has too many parts',
  )
})
