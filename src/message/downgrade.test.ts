/** What becomes of each kind of field (RFC 6858 §2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { downgradedHeader } from './downgrade.ts'

const plain = (text: string) =>
  downgradedHeader(Buffer.from(text.replaceAll('\n', '\r\n')))
    ?.toString('latin1')
    .replaceAll('\r\n', '\n')

const rows: readonly (readonly [string, string, string])[] = [
  ['free text is encoded', 'Subject: Grüße\n', 'Subject: =?UTF-8?B?R3LDvMOfZQ==?=\n'],
  ['a name is encoded', 'From: Jørn <j@x.no>\n', 'From: =?UTF-8?Q?J=C3=B8rn?= <j@x.no>\n'],
  [
    'an address leads nowhere and is shown',
    'To: Jørn <jørn@x.no>, ann@x.no\n',
    'To: =?UTF-8?Q?J=C3=B8rn_j=C3=B8rn=40x=2Eno?=\n <invalid@internationalized-address.invalid>, ann@x.no\n',
  ],
  [
    'an address in a group too',
    'Cc: Wir: ü@x.no;\n',
    'Cc: Wir: =?UTF-8?B?w7xAeC5ubw==?= <invalid@internationalized-address.invalid>;\n',
  ],
  ['addresses that cannot be read are left out', 'To: <ü\nA: b\n', 'A: b\n'],
  [
    'parameters that cannot be said are left out',
    'Content-Disposition: attachment; filename="ü;x"; size=3\n',
    'Content-Disposition: attachment; size=3\n',
  ],
  [
    'a type that cannot be said is none',
    'Content-Type: täxt/plain; charset=utf-8\nA: b\n',
    'A: b\n',
  ],
  ['other fields are left out', 'Received: from ü\nA: b\n\n', 'A: b\n\n'],
  [
    'all else stays as it is',
    'a :  b\n\tc\nSubject: ü\n\n',
    'a :  b\n\tc\nSubject: =?UTF-8?B?w7w=?=\n\n',
  ],
]

for (const [name, text, wanted] of rows) test(name, () => assert.equal(plain(text), wanted))

test('what is ASCII, or no UTF-8, is left alone', () => {
  assert.equal(plain('Subject: hello\n\n'), undefined)
  assert.equal(downgradedHeader(Buffer.from('Subject: \xfc\r\n', 'latin1')), undefined)
})

test('a long hostile header takes no long time', () => {
  const text = `Content-Type: text/plain${';"ü'.repeat(20_000)}\nTo: ${'ü<'.repeat(20_000)}\n`
  assert.ok((plain(text)?.length ?? 0) < text.length)
})
