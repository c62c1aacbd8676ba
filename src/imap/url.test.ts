/** IMAP URLs (RFC 5092, RFC 4467), read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImapUrl } from './url.ts'

const whole = { part: [], text: '', fields: [] }

test('URLs of messages and parts are read', () => {
  const rump = 'imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred'
  assert.deepEqual(parseImapUrl(`${rump}:internal:91354A47`), {
    user: 'joe',
    host: 'example.com',
    mailbox: 'INBOX',
    uid: 20,
    section: { part: [1, 2], text: '', fields: [] },
    authority: { access: 'submit+fred', mechanism: 'INTERNAL', token: '91354a47', rump },
  })
  assert.deepEqual(parseImapUrl('/Sent%20Mail/2026;UIDVALIDITY=385759045/;UID=20'), {
    mailbox: 'Sent Mail/2026',
    uidValidity: 385759045,
    uid: 20,
    section: whole,
  })
  assert.deepEqual(parseImapUrl('/inbox/;UID=7/;SECTION=HEADER/;PARTIAL=10.20'), {
    mailbox: 'INBOX',
    uid: 7,
    section: { part: [], text: 'HEADER', fields: [] },
    partial: { from: 10, count: 20 },
  })
  const dated = parseImapUrl(
    'imap://joe@h/a%2Fb/;UID=1;EXPIRE=2026-11-27T00:00:00Z;URLAUTH=anonymous',
  )
  assert.equal(dated?.authority?.expiresAt, Date.UTC(2026, 10, 27))
  assert.equal(dated?.mailbox, 'a/b')
})

test('what is none is not', () => {
  for (const text of [
    '',
    'INBOX',
    '/INBOX',
    '/INBOX/;UID=0',
    '/INBOX/;UID=x',
    'http://h/INBOX/;UID=1',
    '/%ff/;UID=1',
    '/INBOX/;UID=1/;SECTION=9.MIMEY',
    '/INBOX/;UID=1;EXPIRE=soon;URLAUTH=anonymous',
    '/INBOX/;UID=1;URLAUTH=everybody',
    '/INBOX/;UID=1;URLAUTH=user+',
    `/${'x'.repeat(3000)}/;UID=1`,
  ])
    assert.equal(parseImapUrl(text), undefined, text)
})

test('reading takes linear time', () => {
  for (const piece of ['/;UID=1', ';UIDVALIDITY=1', '/;SECTION=1', 'a/', ';URLAUTH=a:b:c']) {
    const started = process.cpuUsage()
    parseImapUrl(`/${piece.repeat(Math.floor(1990 / piece.length))}`)
    assert.ok(process.cpuUsage(started).user < 200_000, piece)
  }
})
