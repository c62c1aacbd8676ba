import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { formatNotice } from './dsn.ts'
import { scanHeader } from './header.ts'
import type { NoticeFacts, NoticeRecipient } from './notice.ts'
import { englishTexts, textFault } from './notice-text.ts'

const ORIGINAL = Buffer.from(
  'From: joe@example.org\r\nTo: ann@example.net\r\nSubject: =?UTF-8?Q?caf=C3=A9?=\r\nMessage-ID: <orig@example.org>\r\n\r\nHi Ann\r\n',
)

const failed: NoticeRecipient = {
  address: { local: 'ann', domain: 'example.net' },
  originalRecipient: { type: 'rfc822', address: 'annie@example.net' },
  action: 'failed',
  status: '5.1.1',
  reason: 'The mailbox does not exist.',
  remote: { name: 'mx.example.net', address: '192.0.2.9' },
  reply: { code: 550, detail: '1.1', lines: ['no such user', 'here'] },
  lastAttemptMs: 60_000,
}

const facts: NoticeFacts = {
  hostname: 'mx.example.org',
  timeMs: 120_000,
  id: 'n1',
  sender: { local: 'joe', domain: 'example.org' },
  recipients: [failed],
  arrivalMs: 0,
  envelopeId: 'QQ314159',
  original: {
    prefix: ORIGINAL,
    sizeOctets: ORIGINAL.length,
    body: '7BIT',
    utf8: false,
    logId: 'm1',
  },
}

function original(
  text: string,
  change: Partial<NoticeFacts['original']> = {},
): NoticeFacts['original'] {
  const prefix = Buffer.from(text, 'latin1')
  return { prefix, sizeOctets: prefix.length, body: '8BITMIME', utf8: false, ...change }
}

function assertLegal(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString('latin1')
  assert.ok(text.endsWith('\r\n'))
  for (const line of text.split('\r\n')) {
    assert.doesNotMatch(line, /[\r\n\0]/)
    assert.ok(line.length <= 998)
  }
  return text
}

/** The parts of a notice, cut at its boundary by hand. */
function partsOf(octets: Uint8Array): string[] {
  const text = assertLegal(octets)
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? ''
  const pieces = text.split(`--${boundary}`)
  assert.equal(pieces.length, 5, 'three parts')
  assert.equal(pieces[4], '--\r\n')
  return pieces.slice(1, 4).map(piece => piece.slice(2, -2))
}

test('a failure is told to people, to machines, and with the message itself', () => {
  const notice = formatNotice(facts)
  const header = scanHeader(notice.octets)
  assert.equal(header.first('from'), 'Mail Delivery System <postmaster@mx.example.org>')
  assert.equal(header.first('to'), 'joe@example.org')
  assert.equal(header.first('auto-submitted'), 'auto-replied')
  assert.equal(header.first('in-reply-to'), '<orig@example.org>')
  assert.match(
    header.first('content-type') ?? '',
    /^multipart\/report; report-type=delivery-status; boundary="/,
  )
  const [text, status, whole] = partsOf(notice.octets)
  assert.match(text ?? '', /<ann@example\.net>/)
  assert.match(text ?? '', /you wrote to annie@example\.net/)
  assert.match(
    text ?? '',
    /mx\.example\.net \[192\.0\.2\.9\] said:\r\n {6}550 5\.1\.1 no such user here/,
  )
  assert.equal(
    status,
    [
      'Content-Type: message/delivery-status',
      'Content-Transfer-Encoding: 7bit',
      'Content-Description: Delivery report',
      '',
      'Original-Envelope-Id: QQ314159',
      'Reporting-MTA: dns; mx.example.org',
      'Arrival-Date: Thu, 1 Jan 1970 00:00:00 +0000',
      '',
      'Original-Recipient: rfc822; annie@example.net',
      'Final-Recipient: rfc822; ann@example.net',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.example.net',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user here',
      'Last-Attempt-Date: Thu, 1 Jan 1970 00:01:00 +0000',
      'Final-Log-ID: m1',
      '',
    ].join('\r\n'),
  )
  assert.match(whole ?? '', /^Content-Type: message\/rfc822\r\n/)
  assert.ok(whole?.endsWith(`\r\n\r\n${ORIGINAL.toString()}`))
  assert.deepEqual([notice.body, notice.utf8], ['7BIT', false])
})

test('another reader finds the text and the parts', async () => {
  const mail = await PostalMime.parse(formatNotice(facts).octets, { forceRfc822Attachments: true })
  assert.match(mail.text ?? '', /could not be delivered/)
  assert.match(mail.text ?? '', /caf\u00e9/)
  const types = mail.attachments.map(item => item.mimeType)
  assert.deepEqual(types, ['message/delivery-status', 'message/rfc822'])
})

test('a delay says until when it is tried and returns the header only', () => {
  const recipient = {
    ...failed,
    action: 'delayed',
    status: '4.4.1',
    retryUntilMs: 3_600_000,
  } as const
  const [text, status, head] = partsOf(
    formatNotice({ ...facts, ret: 'FULL', recipients: [recipient] }).octets,
  )
  assert.match(text ?? '', /tried until Thu, 1 Jan 1970 01:00:00 \+0000/)
  assert.match(status ?? '', /\r\nWill-Retry-Until: Thu, 1 Jan 1970 01:00:00 \+0000\r\n/)
  assert.match(head ?? '', /^Content-Type: text\/rfc822-headers/)
  assert.doesNotMatch(head ?? '', /Hi Ann/)
})

for (const [what, change] of [
  ['success', { recipients: [{ ...failed, action: 'delivered', status: '2.0.0' }] }],
  ['RET=HDRS', { ret: 'HDRS' }],
  ['an original that is too large', { fullMaxBytes: 50 }],
  [
    'an original of which only a prefix is known',
    { original: { ...facts.original, sizeOctets: 999 } },
  ],
  ['a NUL in the body', { original: original('A: b\r\n\r\nx\0y\r\n') }],
  ['a bare LF in the body', { original: original('A: b\r\n\r\nx\ny\r\n') }],
  ['a line of over 998 octets', { original: original(`A: b\r\n\r\n${'x'.repeat(999)}\r\n`) }],
  ['a binary original', { original: original('A: b\r\n\r\nx\r\n', { body: 'BINARYMIME' }) }],
] as const) {
  test(`${what} returns the header only`, () => {
    const notice = formatNotice({ ...facts, ...change } as NoticeFacts)
    assert.match(partsOf(notice.octets)[2] ?? '', /^Content-Type: text\/rfc822-headers/)
    assert.equal(notice.body, '7BIT')
  })
}

test('an 8-bit original travels as 8bit', () => {
  const notice = formatNotice({ ...facts, original: original('A: b\r\n\r\nx\xe9\r\n') })
  assert.equal(notice.body, '8BITMIME')
  assert.equal(notice.utf8, false)
  assert.equal(scanHeader(notice.octets).first('content-transfer-encoding'), '8bit')
  assert.match(
    partsOf(notice.octets)[2] ?? '',
    /rfc822\r\nContent-Transfer-Encoding: 8bit\r\n[\s\S]*x\xe9\r\n$/,
  )
})

test('a broken header is returned encoded', () => {
  const notice = formatNotice({
    ...facts,
    original: original('A: b\0\xe9\r\nB: c\nD: e\r\n\r\nx\0\r\n'),
  })
  assert.match(
    partsOf(notice.octets)[2] ?? '',
    /quoted-printable[\s\S]*A: b=00=E9\r\nB: c=0AD: e\r\n/,
  )
})

test('an internationalised message gets an internationalised notice', () => {
  const recipient = { ...failed, address: { local: '\u7528\u6237', domain: 'x.test' } }
  const text = Buffer.from('Subject: \u00e9\r\n\r\nx\r\n').toString('latin1')
  const notice = formatNotice({
    ...facts,
    recipients: [recipient],
    original: original(text, { utf8: true }),
  })
  const [, status, whole] = partsOf(notice.octets)
  assert.match(
    status ?? '',
    /^Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit/,
  )
  const utf8 = Buffer.from(status ?? '', 'latin1').toString()
  assert.match(utf8, /\r\nFinal-Recipient: utf-8; \u7528\u6237@x\.test\r\n/)
  assert.match(whole ?? '', /^Content-Type: message\/global\r\n/)
  assert.deepEqual([notice.body, notice.utf8], ['8BITMIME', true])
})

test('a UTF-8 recipient is spelt in ASCII to a sender who never asked for SMTPUTF8', () => {
  const recipient = { ...failed, address: { local: '\u00e9+a', domain: 'x.test' } }
  const notice = formatNotice({ ...facts, recipients: [recipient] })
  assert.match(
    partsOf(notice.octets)[1] ?? '',
    /Final-Recipient: utf-8; \\x\{E9\}\\x\{2B\}a@x\.test\r\n/,
  )
  assert.equal(notice.utf8, false)
})

test('a message that quotes our own boundary cannot end the notice', () => {
  const inner = Buffer.from(formatNotice(facts).octets).toString('latin1')
  const notice = formatNotice({ ...facts, original: original(inner) })
  assert.equal(partsOf(notice.octets).length, 3)
})

test('whatever a peer said, a notice has its fields and no others', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.constantFrom('a\r\nAction: delivered', 'x'.repeat(5000), '\r\n\r\n--=_1_n1--', '\0'),
  )
  const octets = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(nasty, nasty, nasty, nasty, octets, fc.boolean(), (a, b, c, d, prefix, utf8) => {
      const notice = formatNotice({
        ...facts,
        hostname: d === '' ? 'x' : d,
        sender: { local: a, domain: 'example.org' },
        envelopeId: b,
        recipients: [
          {
            ...failed,
            address: { local: c, domain: 'x' },
            originalRecipient: { type: a, address: b },
            reason: d,
            remote: { name: c, address: d },
            reply: { code: 550, lines: [a, b, c] },
          },
        ],
        original: { prefix, sizeOctets: prefix.length, body: '8BITMIME', utf8, logId: d },
      })
      const [, status] = partsOf(notice.octets)
      assert.equal(status?.match(/^Action: /gm)?.length, 1)
      assert.match(status ?? '', /\r\nFinal-Recipient: [^\r]*\r\n/)
      const names = scanHeader(notice.octets).fields.map(field => field.name)
      assert.deepEqual(names.slice(0, 6), [
        'date',
        'from',
        'to',
        'message-id',
        'subject',
        'auto-submitted',
      ])
      if (notice.body === '7BIT') assert.ok(!notice.octets.some(octet => octet > 127))
    }),
    { numRuns: 60 },
  )
})

test('a next hop known by its address alone is named by a literal', () => {
  for (const [name, address, written] of [
    ['127.0.0.1', '127.0.0.1', '[127.0.0.1]'],
    ['', '192.0.2.9', '[192.0.2.9]'],
    ['2001:db8::1', '2001:db8::1', '[IPv6:2001:db8::1]'],
    ['[192.0.2.9]', '192.0.2.9', '[192.0.2.9]'],
    ['mx.example.net', '192.0.2.9', 'mx.example.net'],
  ] as const) {
    const { octets } = formatNotice({
      ...facts,
      recipients: [{ ...failed, remote: { name, address } }],
    })
    const [, status] = partsOf(octets)
    assert.ok(status?.includes(`\r\nRemote-MTA: dns; ${written}\r\n`), status)
  }
})

/** A notice in German, with every placeholder. */
const german = {
  ...englishTexts,
  from: 'Postmeister <postmaster@{hostname}>',
  language: 'de',
  opening: 'Dies ist {hostname}, {postmaster}.',
  closing: 'Es ging um:\n\n{message}\n\nMit freundlichen Grüßen\n{hostname}',
  kinds: {
    ...englishTexts.kinds,
    failed: {
      subject: 'Unzustellbar: {subject}',
      text: 'An {sender}, {id} vom {arrived}:\n\n{recipients}\n\nEs wird nicht mehr versucht.',
    },
  },
}

test('the words of a notice can be replaced, all of them', async () => {
  const notice = formatNotice({ ...facts, texts: german })
  assertLegal(notice.octets)
  const mail = await PostalMime.parse(notice.octets)
  assert.equal(mail.subject, 'Unzustellbar: café')
  assert.deepEqual(mail.from, { name: 'Postmeister', address: 'postmaster@mx.example.org' })
  const text = (mail.text ?? '').replaceAll('\r\n', '\n').trim()
  const [opening, first, recipients, ...rest] = text.split('\n\n')
  assert.equal(opening, 'Dies ist mx.example.org, postmaster@mx.example.org.')
  assert.match(first ?? '', /^An joe@example.org, m1 vom Thu, 1 Jan 1970/)
  assert.match(recipients ?? '', /<ann@example.net>\n {4}\(<annie@example.net>\)/)
  assert.doesNotMatch(text, /please|Please|said/)
  assert.equal(rest[0], 'Es wird nicht mehr versucht.')
  assert.equal(rest.at(-1), 'Mit freundlichen Grüßen\nmx.example.org')
  assert.match(Buffer.from(notice.octets).toString(), /^Content-Language: de\r$/m)
  assert.equal(notice.utf8, false)
})

test('what a message says of itself cannot add to the words of an operator', () => {
  const prefix = original('Subject: {hostname} =?utf-8?Q?=0D=0ABcc:_x?=\r\n\r\nx')
  const text = assertLegal(formatNotice({ ...facts, texts: german, original: prefix }).octets)
  assert.match(text, /^Subject: Unzustellbar: \{hostname\}/m)
  assert.doesNotMatch(text, /^Bcc/m)
})

for (const [text, block, fault] of [
  ['Hello {hostname}', undefined, undefined],
  ['Hello {host}', undefined, 'there is no placeholder {host} here'],
  ['Hello {}', undefined, 'there is no placeholder {} here'],
  ['a\n\n{recipients}', 'recipients', undefined],
  ['a\n \n{recipients}\r\n\r\nb', 'recipients', undefined],
  ['a {recipients}', 'recipients', '{recipients} must be a paragraph of its own'],
  ['a', 'recipients', '{recipients} is missing, a paragraph of its own'],
  ['{message}', 'recipients', 'there is no placeholder {message} here'],
  ['a', 'message', undefined],
] as const) {
  test(`the text ${JSON.stringify(text)} is ${fault === undefined ? 'right' : 'wrong'}`, () => {
    assert.equal(textFault(text, block), fault)
  })
}

test('a notice about a thousand recipients is bounded, and names them all', () => {
  const long = {
    ...failed,
    reply: { code: 550, detail: '1.1' as const, lines: ['x '.repeat(4000)] },
  }
  const recipients = Array.from({ length: 1000 }, (_, n) => ({
    ...long,
    address: { local: `user${n}`, domain: 'example.net' },
  }))
  const { octets } = formatNotice({ ...facts, recipients })
  assert.ok(octets.length < 4_000_000, `${octets.length}`)
  const text = Buffer.from(octets).toString('latin1')
  assert.equal(text.match(/^Final-Recipient: /gm)?.length, 1000)
})
