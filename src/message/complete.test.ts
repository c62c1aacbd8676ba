import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorsOf,
  formatMessageId,
  headerFault,
  missingFields,
  rangesOf,
  seam,
} from './complete.ts'
import { type HeaderLimits, scanHeader } from './header.ts'

function scan(text: string, limits: HeaderLimits = {}) {
  return scanHeader(Buffer.from(text), limits)
}
const facts = { hostname: 'mx.example.org', timeMs: 0, id: 'abc' }
const DATE = 'Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n'
const ID = 'Message-ID: <abc@mx.example.org>\r\n'

for (const [text, kind] of [
  ['From: a@b\r\n\r\n', undefined],
  ['From: A <a@b>\r\nSender: c@d\r\n\r\n', undefined],
  ['From: a@b, c@d\r\nSender: c@d\r\n\r\n', undefined],
  ['Subject: x\r\n\r\n', 'no from'],
  ['hello\r\n', 'no from'],
  ['', 'no from'],
  ['From: a@b\r\nfrom: c@d\r\n\r\n', 'many from'],
  ['From: nobody\r\n\r\n', 'bad from'],
  ['From:\r\n\r\n', 'bad from'],
  ['From: a@b\r\nSender: a@b\r\nSender: a@b\r\n\r\n', 'many sender'],
  ['From: a@b\r\nSender: a@b, c@d\r\n\r\n', 'bad sender'],
] as const) {
  test(`the header ${JSON.stringify(text)} has ${kind ?? 'no'} fault`, () => {
    assert.equal(headerFault(scan(text))?.kind, kind)
  })
}

test('a header that does not end within what was looked at is too large', () => {
  assert.equal(headerFault(scan('From: a@b\r\nX: y', { partial: true }))?.kind, 'too large')
})

test('Date and Message-ID are added where they are missing, and only there', () => {
  assert.equal(missingFields(scan('From: a@b\r\n\r\n'), facts), DATE + ID)
  assert.equal(missingFields(scan('From: a@b\r\ndate: x\r\n\r\n'), facts), ID)
  assert.equal(missingFields(scan('MESSAGE-ID: x\r\nDate: y\r\n\r\n'), facts), '')
})

test('From and Sender are added only where the caller names them', () => {
  const from = { local: 'a', domain: 'b' }
  assert.equal(missingFields(scan('\r\n'), { ...facts, from }), `${DATE}From: a@b\r\n${ID}`)
  const sender = { local: 's', domain: 'b' }
  const two = scan('From: a@b, c@d\r\n\r\n')
  assert.equal(missingFields(two, { ...facts, sender }), `${DATE}Sender: s@b\r\n${ID}`)
  assert.equal(missingFields(scan('From: a@b\r\n\r\n'), { ...facts, sender }), DATE + ID)
})

test('text without a header is kept from becoming one by a blank line', () => {
  assert.equal(seam(scan('hello\r\nyou\r\n')), '\r\n')
  assert.equal(seam(scan('From joe Mon Jan 1\r\nhello\r\n')), '\r\n')
  assert.equal(seam(scan('From joe Mon Jan 1\r\nSubject: x\r\n\r\n')), 'X-Mailbox-Line: ')
  assert.equal(seam(scan('Subject: x\r\nhello\r\n')), '')
  assert.equal(seam(scan('\r\nhello\r\n')), '')
  assert.equal(seam(scan('')), '')
})

test('authors are the addresses of From and Sender, never a display name', () => {
  const header = scan('From: "ceo@big.example" <joe@b>, G: c@d;\r\nSender: s@b\r\n\r\n')
  assert.deepEqual(authorsOf(header), {
    from: [
      { local: 'joe', domain: 'b' },
      { local: 'c', domain: 'd' },
    ],
    sender: [{ local: 's', domain: 'b' }],
  })
})

test('the ranges of blind copies are found, neighbours joined', () => {
  const text = 'Bcc: a@b,\r\n c@d\r\nbcc: e@f\r\nTo: x@y\r\nBCC: g@h\r\n\r\nBcc: body'
  const ranges = rangesOf(scan(text), ['Bcc'])
  const cut = [...ranges].reverse().reduce((t, r) => t.slice(0, r.from) + t.slice(r.to), text)
  assert.equal(ranges.length, 2)
  assert.equal(cut, 'To: x@y\r\n\r\nBcc: body')
})

test('a Message-ID holds no character that could end it', () => {
  assert.equal(formatMessageId('a>\r\nb', 'h st'), '<a---b@h-st>')
  assert.equal(formatMessageId('', ''), '<message@localhost>')
})

test('a megabyte of authors is a fault, found quickly', () => {
  const header = scan(`From: ${'a@b, '.repeat(200_000)}\r\n\r\n`)
  const started = process.cpuUsage()
  assert.equal(headerFault(header)?.kind, 'bad from')
  assert.equal(headerFault(scan(`From: ${'('.repeat(900_000)}\r\n\r\n`))?.kind, 'bad from')
  assert.ok(process.cpuUsage(started).user < 4000_000)
})
