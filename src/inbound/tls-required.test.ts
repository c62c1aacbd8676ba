/** What `TLS-Required:` wishes (RFC 8689 §5), and when it wishes nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanHeader } from '../message/header.ts'
import { withTlsWish } from './tls-required.ts'

test('No is a wish, anything else is none, and REQUIRETLS outweighs it', () => {
  for (const [fields, requireTls, wished] of [
    ['TLS-Required: No', false, true],
    ['tls-required:no', false, true],
    ['TLS-Required:\r\n\tNo ', false, true],
    ['TLS-Required: No\r\nTLS-Required: No', false, true],
    ['TLS-Required: Yes', false, false],
    ['TLS-Required: No\r\nTLS-Required: Yes', false, false],
    ['TLS-Required: Nope', false, false],
    ['TLS-Required:', false, false],
    ['Subject: No', false, false],
    ['TLS-Required: No', true, false],
  ] as const) {
    const sender = { reversePath: null, body: '7BIT' as const, utf8: false }
    const asked = requireTls ? { ...sender, requireTls } : sender
    const header = scanHeader(Buffer.from(`${fields}\r\n\r\nTLS-Required: No\r\n`))
    const kept = withTlsWish({ sender: asked, recipients: [] }, header)
    assert.equal(kept.sender.tlsOptional === true, wished, fields)
  }
})
