import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addressLiteral,
  formatDeliveredTo,
  formatReceived,
  formatReturnPath,
  hopCount,
  type Reception,
  withClause,
} from './trace.ts'

const plain: Reception = {
  protocol: 'smtp',
  extended: true,
  authenticated: false,
  utf8: false,
  hello: 'client.example',
  remote: { address: '192.0.2.1', port: 4321 },
  by: 'mx.example.org',
  id: 'a1b2',
  timeMs: 0,
}
const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false }

function unfold(text: string): string {
  return text
    .replace(/\r\n(?=[ \t])/g, '')
    .replaceAll('\t', ' ')
    .replace(/\r\n$/, '')
}

test('a Received field names the client, us, the protocol, the id and the time', () => {
  assert.equal(
    unfold(formatReceived(plain)),
    'Received: from client.example ([192.0.2.1]) by mx.example.org with ESMTP id a1b2; Thu, 1 Jan 1970 00:00:00 +0000',
  )
})

test('a verified name, TLS and a single recipient are told', () => {
  const recipient = { local: 'joe', domain: 'example.org' }
  const text = unfold(
    formatReceived({ ...plain, reverseName: 'c.example', tls, authenticated: true, recipient }),
  )
  assert.equal(
    text,
    'Received: from client.example (c.example [192.0.2.1]) by mx.example.org with ESMTPSA (TLSv1.3) id a1b2 for <joe@example.org> tls TLS_AES_256_GCM_SHA384; Thu, 1 Jan 1970 00:00:00 +0000',
  )
})

for (const [name, manner] of [
  ['SMTP', { extended: false }],
  ['SMTP', { extended: false, tls: true }],
  ['ESMTP', {}],
  ['ESMTPS', { tls: true }],
  ['ESMTPA', { authenticated: true }],
  ['ESMTPSA', { tls: true, authenticated: true }],
  ['UTF8SMTP', { utf8: true }],
  ['UTF8SMTPS', { utf8: true, tls: true }],
  ['UTF8SMTPSA', { utf8: true, tls: true, authenticated: true }],
  ['LMTP', { protocol: 'lmtp' as const }],
  ['LMTPSA', { protocol: 'lmtp' as const, tls: true, authenticated: true }],
  ['UTF8LMTP', { protocol: 'lmtp' as const, utf8: true }],
] as const) {
  test(`${JSON.stringify(manner)} is "with ${name}"`, () => {
    const { tls: secured, ...rest } = { tls: false, ...manner }
    assert.equal(withClause({ ...plain, ...rest }, secured), name)
  })
}

for (const [address, literal] of [
  ['192.0.2.1', '[192.0.2.1]'],
  ['2001:db8::1', '[IPv6:2001:db8::1]'],
  ['::ffff:192.0.2.1', '[192.0.2.1]'],
  ['fe80::1%eth0', '[IPv6:fe80::1]'],
  ['/run/postrider.sock', ''],
  ['', ''],
] as const) {
  test(`the peer ${JSON.stringify(address)} is written as ${JSON.stringify(literal)}`, () => {
    assert.equal(addressLiteral(address), literal)
  })
}

test('a client that gave no name is known by its address, a local one as localhost', () => {
  assert.match(formatReceived({ ...plain, hello: '' }), /^Received: from \[192\.0\.2\.1\] \(/)
  const local = { ...plain, hello: '', remote: { address: '', port: 0 } }
  assert.match(formatReceived(local), /^Received: from localhost by /)
})

test('a UTF-8 recipient is told only in an internationalised message', () => {
  const recipient = { local: 'jos\u00e9', domain: 'example.org' }
  assert.doesNotMatch(formatReceived({ ...plain, recipient }), / for /)
  assert.match(
    formatReceived({ ...plain, recipient, utf8: true }),
    /for\s+<jos\u00e9@example.org>;/,
  )
})

test('whatever a peer calls itself, the field stays one field of short lines', () => {
  const hostile = fc.oneof(
    fc.string({ maxLength: 2000 }),
    fc.constantFrom('a\r\nBcc: x', ') by evil ('),
  )
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (hello, reverseName, id, local) => {
      const recipient = { local, domain: 'example.org' }
      const text = formatReceived({ ...plain, hello, reverseName, id, recipient, tls })
      assert.ok(text.endsWith('\r\n'))
      const lines = text.slice(0, -2).split('\r\n')
      for (const [i, line] of lines.entries()) {
        assert.doesNotMatch(line, /[\r\n\0]/)
        assert.equal(/^[ \t]/.test(line), i > 0)
        assert.ok(Buffer.byteLength(line) <= 998)
      }
      assert.equal(unfold(text).split(' by ').length, 2 + (local.match(/ by /g) ?? []).length)
    }),
  )
})

test('Return-Path and Delivered-To are one line each', () => {
  assert.equal(formatReturnPath(null), 'Return-Path: <>\r\n')
  assert.equal(
    formatReturnPath({ local: 'a b', domain: 'x.example' }),
    'Return-Path: <"a b"@x.example>\r\n',
  )
  assert.equal(
    formatDeliveredTo({ local: 'a', domain: 'x.example' }),
    'Delivered-To: a@x.example\r\n',
  )
  assert.equal(
    formatDeliveredTo({ local: 'a\r\nX: y', domain: 'z' }),
    'Delivered-To: "a??X: y"@z\r\n',
  )
})

test('hops are counted by Received fields', () => {
  assert.equal(hopCount({ count: name => (name === 'received' ? 7 : 0) }), 7)
})

test('whose certificate a peer has shown stands beside the version, and whether we know it', () => {
  for (const [facts, told] of [
    [{}, '(TLSv1.3) id a1b2 tls TLS_AES_256_GCM_SHA384;'],
    [{ peerName: 'b.test' }, '(TLSv1.3 certificate b.test not verified) id a1b2 tls TLS_'],
    [{ peerName: 'b.test', verified: true }, '(TLSv1.3 certificate b.test verified) id a1b2 tls '],
    [{ peerName: 'b)\r\nX: y' }, '(TLSv1.3 certificate b???X:?y not verified) id a1b2 tls TLS_'],
    // As a proxy has it.
    [{ cipher: 'ECDHE-RSA-AES128-GCM-SHA256' }, '(TLSv1.3 ECDHE-RSA-AES128-GCM-SHA256) id a1b2;'],
    [{ cipher: 'TLS_A) (b' }, '(TLSv1.3 TLS_A???b) id a1b2;'],
  ] as const) {
    const field = unfold(formatReceived({ ...plain, tls: { ...tls, ...facts } }))
    assert.ok(field.includes(told), field)
  }
})
