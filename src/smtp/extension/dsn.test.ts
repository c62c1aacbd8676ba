import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recipient } from '../../mail/envelope.ts'
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
    'UTF-8;\\x{E9}t@x.test',
  ]) {
    assert.equal(relayed(value), ` ORCPT=${value}`)
  }
  assert.equal(relayed('utf-8;ét@x.test', true), ' ORCPT=utf-8;ét@x.test')
  for (const value of ['b@x.test', ';b', 'rf(c;b', 'rfc822;', 'rfc822;b+0Ac']) {
    assert.equal(relayed(value), undefined)
  }
})
