/** `sendmail`: flags of thirty years, and what becomes of the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from './exit.ts'
import { parseSendmailFlags } from './sendmail-flags.ts'
import { argumentRecipients, finish, headerRecipients, readLines } from './sendmail-message.ts'

const from = { name: 'Joe Doe', address: { local: 'joe', domain: 'example.org' } }

test('flags are understood bundled, glued to their value, or apart', () => {
  const table: readonly (readonly [string, object])[] = [
    ['a@b c@d', { mode: 'submit', recipients: ['a@b', 'c@d'] }],
    ['-t', { fromHeader: true }],
    ['-ti', { fromHeader: true, dotIsText: true }],
    ['-oi', { dotIsText: true }],
    ['-oitrue', { dotIsText: true }],
    ['-oem -odb -i', { dotIsText: true }],
    ['-O IgnoreDots=true', { dotIsText: true }],
    ['-f joe@x a@b', { sender: 'joe@x', recipients: ['a@b'] }],
    ['-fjoe@x a@b', { sender: 'joe@x', recipients: ['a@b'] }],
    ['-f <> a@b', { sender: '', recipients: ['a@b'] }],
    ['-r joe a@b', { sender: 'joe' }],
    ['-FJoe -B 8BITMIME a@b', { fullName: 'Joe', recipients: ['a@b'] }],
    ['-bs', { mode: 'dialogue' }],
    ['-bp', { mode: 'list' }],
    ['-q', { mode: 'flush' }],
    ['-q30m', { mode: 'flush' }],
    ['-q a@b', { mode: 'flush', recipients: ['a@b'] }],
    ['-bi', { mode: 'nothing' }],
    ['-bm -G -n -U -m a@b', { mode: 'submit', recipients: ['a@b'] }],
    ['-N never -R hdrs -V abc a@b', { notify: 'never', ret: 'HDRS', envelopeId: 'abc' }],
    ['-i -- -odd@example.org', { recipients: ['-odd@example.org'] }],
    ['--data /srv/mail -t', { data: '/srv/mail', fromHeader: true }],
    ['--data=/srv/mail -t', { data: '/srv/mail', fromHeader: true }],
  ]
  for (const [line, wanted] of table) {
    const found = parseSendmailFlags(line.split(' '))
    assert.deepEqual({ ...found, ...wanted }, found, line)
  }
})

test('a mode that is not ours, or a value that is missing, is wrong usage', () => {
  for (const line of ['-bd', '-bD', '-bz', '-f']) {
    assert.throws(
      () => parseSendmailFlags(line.split(' ')),
      (error: unknown) => error instanceof CommandError && error.exit === 64,
      line,
    )
  }
})

test('lines end with CRLF, and a dot alone ends the message unless -i is given', () => {
  const table: readonly (readonly [string, boolean, string])[] = [
    ['a\nb', true, 'a\r\nb\r\n'],
    ['a\r\nb\n', true, 'a\r\nb\r\n'],
    ['a\n.\nb\n', true, 'a\r\n.\r\nb\r\n'],
    ['a\n.\nb\n', false, 'a\r\n'],
    ['.\nb\n', false, ''],
    ['a\n.', false, 'a\r\n'],
    ['a\n..\nb\n', false, 'a\r\n..\r\nb\r\n'],
    ['a.\n', false, 'a.\r\n'],
    ['', false, ''],
  ]
  for (const [input, dotIsText, wanted] of table) {
    assert.equal(readLines(Buffer.from(input), dotIsText).toString(), wanted, JSON.stringify(input))
  }
})

test('-t takes To, Cc and Bcc; the Resent fields alone where there are any; local names get a domain', () => {
  const message = Buffer.from('To: A <a@x>, root\r\nCc: b@x\r\nBcc: c@x\r\n\r\nTo: no@x\r\n')
  assert.deepEqual(headerRecipients(message, 'here.example'), {
    addresses: [
      { local: 'a', domain: 'x' },
      { local: 'root', domain: 'here.example' },
      { local: 'b', domain: 'x' },
      { local: 'c', domain: 'x' },
    ],
  })
  const names = headerRecipients(Buffer.from('To: root, joe\r\n\r\n'), 'here.example')
  assert.deepEqual(names, {
    addresses: [
      { local: 'root', domain: 'here.example' },
      { local: 'joe', domain: 'here.example' },
    ],
  })
  const resent = headerRecipients(Buffer.from('To: a@x\r\nResent-To: b@x\r\n\r\n'), 'h')
  assert.deepEqual(resent.addresses, [{ local: 'b', domain: 'x' }])
})

test('Bcc is taken out and From put in; text without a header stays text', () => {
  const sent = finish(
    Buffer.from('Bcc: x@y,\r\n z@y\r\nSubject: s\r\nBcc: q@y\r\n\r\nBcc: text\r\n'),
    from,
  )
  assert.equal(
    sent.toString(),
    'From: Joe Doe <joe@example.org>\r\nSubject: s\r\n\r\nBcc: text\r\n',
  )
  const own = 'From: other@x\r\n\r\nhi\r\n'
  assert.equal(finish(Buffer.from(own), from).toString(), own)
  assert.equal(
    finish(Buffer.from('hello there\r\n'), from).toString(),
    'From: Joe Doe <joe@example.org>\r\n\r\nhello there\r\n',
  )
})

test('one argument may name several, as a header does', () => {
  const table: readonly (readonly [string, string])[] = [
    ['joe@example.org,ann@example.org', 'joe@example.org ann@example.org'],
    ['joe, ann@example.net', 'joe@here.example ann@example.net'],
    ['Joe Doe <joe@example.org>', 'joe@example.org'],
    ['"Doe, Joe" <joe@example.org>, <ann@example.org>', 'joe@example.org ann@example.org'],
    ['a b@example.org', 'fault'],
  ]
  for (const [text, wanted] of table) {
    const { addresses, fault } = argumentRecipients(text, 'here.example')
    const found = addresses.map(({ local, domain }) => `${local}@${domain}`).join(' ')
    assert.equal(fault === undefined ? found : 'fault', wanted, text)
  }
})
