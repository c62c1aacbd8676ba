/** `sendmail`: flags of thirty years, and what becomes of the message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExitError } from '../server/exit-error.ts'
import { typedLines } from './relay-stdio.ts'
import { recipientsOf, reversePathOf } from './sendmail-envelope.ts'
import { parseSendmailFlags } from './sendmail-flags.ts'
import {
  argumentRecipients,
  finish,
  headerRecipients,
  readLines,
  withoutBcc,
} from './sendmail-message.ts'

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
    ['-I', { mode: 'nothing' }],
    ['-bv a@b', { mode: 'verify', recipients: ['a@b'] }],
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
  for (const line of ['-bd', '-bD', '-bz', '-f', '-R some']) {
    assert.throws(
      () => parseSendmailFlags(line.split(' ')),
      (error: unknown) => error instanceof ExitError && error.exit === 64,
      line,
    )
  }
})

test('who types lines that end with LF is written with CRLF; what is CRLF stays', () => {
  const table: readonly (readonly [string, string])[] = [
    ['HELO x\n.\n\r\n', 'HELO x\r\n.\r\n\r\n'],
    ['HELO x\r\na\n.\n', 'HELO x\r\na\n.\n'],
    ['\n', '\r\n'],
    ['HELO x', 'HELO x'],
  ]
  for (const [typed, wanted] of table) {
    for (const size of [1, 2, 100]) {
      const written = typedLines()
      const pieces: Uint8Array[] = []
      for (let at = 0; at < typed.length; at += size) {
        pieces.push(written(Buffer.from(typed.slice(at, at + size))))
      }
      assert.equal(Buffer.concat(pieces).toString(), wanted)
    }
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
  const people = headerRecipients(Buffer.from('To: root (The one), Joe <joe>\r\n\r\n'), 'h')
  assert.deepEqual(
    people.addresses.map(({ local, domain }) => `${local}@${domain}`),
    ['root@h', 'joe@h'],
  )
  const resent = headerRecipients(Buffer.from('To: a@x\r\nResent-To: b@x\r\n\r\n'), 'h')
  assert.deepEqual(resent.addresses, [{ local: 'b', domain: 'x' }])
})

test('Bcc is taken out and From put in; text without a header stays text', () => {
  const sent = finish(
    Buffer.from('Bcc: x@y,\r\n z@y\r\nSubject: s\r\nBcc: q@y\r\n\r\nBcc: text\r\n'),
    from,
    'here.example',
  )
  assert.equal(
    sent.toString(),
    'From: Joe Doe <joe@example.org>\r\nSubject: s\r\n\r\nBcc: text\r\n',
  )
  const file = withoutBcc(Buffer.from('From: a@x\nBcc: b@x\nTo: c@x\n\nBcc: text'))
  assert.equal(Buffer.from(file).toString(), 'From: a@x\nTo: c@x\n\nBcc: text')
  const own = 'From: other@x\r\n\r\nhi\r\n'
  assert.equal(finish(Buffer.from(own), from, 'here.example').toString(), own)
  assert.equal(
    finish(Buffer.from('hello there\r\n'), from, 'here.example').toString(),
    'From: Joe Doe <joe@example.org>\r\n\r\nhello there\r\n',
  )
})

test('a name of this machine has its domain in the header, too, and all else stays octet for octet', () => {
  const table: readonly (readonly [string, string])[] = [
    // Debian's cron, cronie, systemd-cron, logwatch, at.
    ['From: root (Cron Daemon)', 'From: Cron Daemon <root@here.example>'],
    ['From: "(Cron Daemon)" <root>', 'From: "(Cron Daemon)" <root@here.example>'],
    ['From:\t"root" (systemd-cron)', 'From: systemd-cron <root@here.example>'],
    ['FROM: Logwatch', 'From: Logwatch@here.example'],
    [
      'To: root, Joe Doe <joe>,\r\n ann@x',
      'To: root@here.example, Joe Doe <joe@here.example>, ann@x',
    ],
    ['Cc: =?utf-8?q?J=C3=B6?= <jo>', 'Cc: =?UTF-8?B?SsO2?= <jo@here.example>'],
    ['Reply-To: friends: joe, ann@x;', 'Reply-To: friends: joe@here.example, ann@x;'],
    ['To: joe@EXAMPLE.org  (Joe)', 'To: joe@EXAMPLE.org  (Joe)'],
    ['To: two words', 'To: two words'],
    ['Subject: root', 'Subject: root'],
  ]
  for (const [field, wanted] of table) {
    const message = Buffer.from(`${field}\r\nfrom: a@b\r\n\r\nTo: root\r\n`)
    assert.equal(
      finish(message, from, 'here.example').toString(),
      `${wanted}\r\nfrom: a@b\r\n\r\nTo: root\r\n`,
    )
  }
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

test("the machine's own name is none of a domain", () => {
  const table: readonly (readonly [string, string, string, string])[] = [
    ['box', 'root', 'joe@h.test', 'root@h.test'],
    ['box', '-f root@BOX joe@localhost', 'root@h.test', 'joe@h.test'],
    [
      'box',
      '-f a@localhost.localdomain joe@box,joe,ann@box.test',
      'a@h.test',
      'joe@h.test ann@box.test',
    ],
    ['box.test', '-f a@box.test a@localhost', 'a@box.test', 'a@h.test'],
    ['box', '-f <> joe', 'null', 'joe@h.test'],
  ]
  for (const [machine, line, sender, recipients] of table) {
    const flags = parseSendmailFlags(line.split(' '))
    const home = { user: 'joe', origin: 'h.test', machine }
    const path = reversePathOf(flags, home)
    assert.equal(path === null ? 'null' : `${path.local}@${path.domain}`, sender, line)
    const named = recipientsOf(flags, Buffer.alloc(0), home)
    assert.equal(named.map(({ local, domain }) => `${local}@${domain}`).join(' '), recipients, line)
  }
})
