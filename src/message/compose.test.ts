import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { compose, type Draft } from './compose.ts'
import { scanHeader } from './header.ts'

const draft: Draft = {
  from: [{ name: 'Joe', address: { local: 'joe', domain: 'example.org' } }],
  to: [{ name: '', address: { local: 'ann', domain: 'example.net' } }],
  subject: 'Hello',
  text: 'Hi Ann\n',
  dateMs: 0,
  messageId: '<abc@example.org>',
}

function written(input: Draft): Buffer {
  const result = compose(input)
  assert.equal(result.kind, 'composed', 'reason' in result ? result.reason : '')
  return Buffer.from(result.kind === 'composed' ? result.octets : [])
}

/** What every message of ours keeps to, whatever went in. */
function assertLegal(octets: Buffer): void {
  const text = octets.toString('latin1')
  assert.ok(text.endsWith('\r\n'))
  for (const line of text.split('\r\n')) {
    assert.doesNotMatch(line, /[\r\n\0]/)
    assert.ok(line.length <= 998)
  }
}

test('a plain message is as a person would write it', () => {
  assert.equal(
    written(draft).toString(),
    [
      'Date: Thu, 1 Jan 1970 00:00:00 +0000',
      'From: Joe <joe@example.org>',
      'To: ann@example.net',
      'Message-ID: <abc@example.org>',
      'Subject: Hello',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Hi Ann',
      '',
    ].join('\r\n'),
  )
})

test('text, HTML, inline pictures and attachments are read by another reader', async () => {
  const picture = Buffer.from([0, 1, 2, 255])
  const octets = written({
    ...draft,
    subject: 'Gr\u00fc\u00dfe '.repeat(30),
    text: 'plain \u00e9\n.\nFrom here\n',
    html: '<p>caf\u00e9</p>',
    attachments: [
      { filename: 'p.png', type: 'image/png', content: picture, contentId: 'p1' },
      { filename: 'r\u00e9sum\u00e9 "final".pdf', content: picture },
      { filename: 'm.eml', type: 'message/rfc822', content: written(draft) },
    ],
  })
  assertLegal(octets)
  const mail = await PostalMime.parse(octets, { forceRfc822Attachments: true })
  assert.equal(mail.subject?.trim(), 'Gr\u00fc\u00dfe '.repeat(30).trim())
  assert.equal(mail.text?.replaceAll('\r\n', '\n').trim(), 'plain \u00e9\n.\nFrom here')
  assert.equal(mail.html?.trim(), '<p>caf\u00e9</p>')
  assert.deepEqual(
    mail.attachments.map(item => [
      item.filename,
      item.mimeType,
      item.disposition,
      item.related ?? false,
    ]),
    [
      ['p.png', 'image/png', 'inline', true],
      ['r\u00e9sum\u00e9 "final".pdf', 'application/octet-stream', 'attachment', false],
      ['m.eml', 'message/rfc822', 'attachment', false],
    ],
  )
  assert.deepEqual(Buffer.from(mail.attachments[0]?.content as ArrayBuffer), picture)
})

test('UTF-8 addresses stand as they are and say that SMTPUTF8 is needed', () => {
  const to = [
    { name: '\u7528\u6237', address: { local: '\u7528\u6237', domain: '\u4f8b\u5b50.test' } },
  ]
  const result = compose({ ...draft, to })
  assert.ok(result.kind === 'composed' && result.utf8)
  assert.equal(
    scanHeader(result.octets).first('to'),
    '=?UTF-8?B?55So5oi3?= <\u7528\u6237@\u4f8b\u5b50.test>',
  )
})

for (const [what, change] of [
  ['no author', { from: [] }],
  [
    'a line end in an address',
    { to: [{ name: '', address: { local: 'a\r\nBcc: x', domain: 'b' } }] },
  ],
  ['two addresses in one', { to: [{ name: '', address: { local: 'a', domain: 'b, c@d' } }] }],
  [
    'a domain that closes the bracket',
    { to: [{ name: 'x', address: { local: 'a', domain: 'b> <c@d' } }] },
  ],
  ['an address without a domain', { to: [{ name: '', address: { local: 'a', domain: '' } }] }],
  ['an endless address', { to: [{ name: '', address: { local: 'a'.repeat(2000), domain: 'b' } }] }],
  ['a line end in a field', { headers: [['X-A', 'b\r\nBcc: c']] }],
  ['a line end in the name of a field', { headers: [['X-A: b\r\nBcc', 'c']] }],
  ['a second Subject', { headers: [['subject', 'x']] }],
  ['a Bcc field', { headers: [['Bcc', 'x@y']] }],
  ['a Content-Type of its own', { headers: [['Content-Type', 'text/html']] }],
  ['a broken Message-ID', { messageId: 'abc\r\nX: y' }],
  [
    'a broken media type',
    { attachments: [{ filename: 'a', type: 'a/b\r\nX: y', content: new Uint8Array(0) }] },
  ],
  [
    'a broken Content-ID',
    { attachments: [{ filename: 'a', contentId: 'a> b', content: new Uint8Array(0) }] },
  ],
] as const) {
  test(`a draft with ${what} is refused`, () => {
    assert.equal(compose({ ...draft, ...change } as Draft).kind, 'refused')
  })
}

test('no text whatever adds a field or a line of over 998 octets', async () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      'a\r\nBcc: x',
      'x'.repeat(3000),
      '=?utf-8?q?a=0D=0Ab?=',
      ' '.repeat(2000),
      '\t',
      'a \r\n \r\n b',
    ),
  )
  const names = [
    'date',
    'from',
    'to',
    'message-id',
    'subject',
    'x-extra',
    'mime-version',
    'content-type',
  ]
  await fc.assert(
    fc.asyncProperty(nasty, nasty, nasty, nasty, async (subject, name, text, filename) => {
      const octets = written({
        ...draft,
        from: [{ name, address: { local: 'joe', domain: 'example.org' } }],
        subject,
        text,
        html: text,
        headers: [['X-Extra', name.replace(/[\r\n\0]/g, '')]],
        attachments: [{ filename, content: Buffer.from(text) }],
      })
      assertLegal(octets)
      const header = scanHeader(octets)
      assert.deepEqual(
        header.fields.map(field => field.name),
        names,
      )
      const mail = await PostalMime.parse(octets)
      assert.equal(mail.from?.address, 'joe@example.org')
      assert.equal(mail.attachments.length, 1)
      assert.deepEqual(Buffer.from(mail.attachments[0]?.content as ArrayBuffer), Buffer.from(text))
    }),
    { numRuns: 40 },
  )
})
