import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recipient, Sender } from '../../mail/envelope.ts'
import { dsn } from './dsn.ts'
import type { Draft, ParameterContext, Writing } from './extension.ts'

/** What a hop is told of an ORCPT that came in. */
function relayed(value: string, utf8 = false): string | undefined {
  const draft = { forwardPath: { local: 'b', domain: 'x.test' } } as Draft<Recipient>
  const refused = dsn.rcpt?.['ORCPT']?.(value, draft, { utf8 } as ParameterContext)
  return refused ? undefined : dsn.writeRcpt?.(draft, { utf8 } as Writing)
}

test('ORCPT goes on as it came, its case too (RFC 3461 §5.2.1)', () => {
  for (const value of [
    'rfc822;b@x.test',
    'RFC822;Bob+2Bx@X.test',
    'X-Notes;Bob+20Smith/HQ',
    'rfc822;+62ob+40x.test',
    'utf-8;\\x{e9}t@x.test',
    'utf-8;a+2Bb@x.test',
    'UTF-8;\\x{E9}t@x.test',
  ]) {
    assert.equal(relayed(value), ` ORCPT=${value}`)
  }
  assert.equal(relayed('utf-8;ét@x.test', true), ' ORCPT=utf-8;ét@x.test')
  for (const value of ['b@x.test', ';b', 'rf(c;b', 'rfc822;', 'rfc822;b+0Ac']) {
    assert.equal(relayed(value), undefined)
  }
})

test('ENVID goes on as it came (RFC 3461 §5.2.1)', () => {
  for (const value of ['QQ314159', 'a+2Bb+3D', '+41+40x', 'e+20f']) {
    const draft = { reversePath: null, body: '7BIT', utf8: false } as Draft<Sender>
    assert.equal(dsn.mail?.['ENVID']?.(value, draft, {} as ParameterContext), undefined)
    assert.equal(dsn.writeMail?.(draft, {} as Writing), ` ENVID=${value}`)
    // As another name would be written, whatever came before it.
    draft.envelopeId = 'a+b'
    assert.equal(dsn.writeMail?.(draft, {} as Writing), ' ENVID=a+2Bb')
  }
})

test('an original recipient of an alias is written by itself, whatever came with the one before', () => {
  const written: Recipient = {
    forwardPath: { local: 'b', domain: 'x.test' },
    originalRecipient: { type: 'rfc822', address: 'a@x.test' },
    originalAsWritten: '+62ob+40x.test',
  }
  assert.equal(dsn.writeRcpt?.(written, { utf8: false } as Writing), ' ORCPT=rfc822;a@x.test')
})
