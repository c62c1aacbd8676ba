/** EXTERNAL and ANONYMOUS: little is said, and policy decides all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsFacts } from '../wire/effect.ts'
import { anonymousServer } from './anonymous.ts'
import { externalClient, externalServer } from './external.ts'
import type { LoginAnswer } from './mechanism.ts'
import { clientContext, runServer, serverContext } from './scripted.ts'

const account = { id: 1, address: 'user@example.org' }
const yes = (): LoginAnswer => ({ kind: 'account', account })
const tls: TlsFacts = {
  ...{ protocol: 'TLSv1.3', cipher: 'x', verified: true, peerName: 'User' },
  ...{ subject: 'CN=User', fingerprint: 'AA:BB', mailboxes: ['user@example.org'] },
}

test('EXTERNAL tells policy the certificate and whom the client acts as', () => {
  for (const [sent, authorize] of [
    [[''], ''],
    [[undefined, ''], ''],
    [['user@example.org'], 'user@example.org'],
  ] as const) {
    const { result, asked } = runServer(externalServer, sent, yes, serverContext({ tls }))
    assert.equal(result.kind, 'done')
    assert.deepEqual(asked, [
      {
        ...{ kind: 'certificate', mechanism: 'EXTERNAL', username: authorize, authorize },
        certificate: {
          ...{ subject: 'CN=User', fingerprint: 'AA:BB', commonName: 'User' },
          mailboxes: ['user@example.org'],
        },
      },
    ])
  }
})

test('without a certificate that was verified EXTERNAL asks nobody', () => {
  for (const facts of [undefined, { ...tls, verified: false }]) {
    const ran = runServer(externalServer, [''], yes, serverContext({ tls: facts }))
    assert.equal(ran.result.kind, 'failed')
    assert.deepEqual(ran.asked, [])
  }
  const { result } = runServer(externalServer, ['a\0b'], yes, serverContext({ tls }))
  assert.equal(result.kind === 'failed' && result.reason, 'malformed')
})

test('the client of EXTERNAL says whom it acts as, or nothing', () => {
  const said = (authorize?: string) => {
    const login = { username: 'u', certificate: true, ...(authorize && { authorize }) }
    return Buffer.from(externalClient.start(login, clientContext()).next().value as Uint8Array)
  }
  assert.equal(said().toString(), '')
  assert.equal(said('a@b').toString(), 'a@b')
})

test('ANONYMOUS takes a trace of at most 255 characters', () => {
  const { asked } = runServer(anonymousServer, ['sirhc'], yes)
  assert.deepEqual(asked, [{ kind: 'anonymous', mechanism: 'ANONYMOUS', username: 'sirhc' }])
  assert.equal(runServer(anonymousServer, ['\u{1f600}'.repeat(255)], yes).result.kind, 'done')
  for (const bad of ['\u{1f600}'.repeat(256), 'a\0', Buffer.of(0xff)]) {
    const { result } = runServer(anonymousServer, [bad], yes)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed')
  }
})
