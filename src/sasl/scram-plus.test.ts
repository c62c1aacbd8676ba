/** SCRAM's other hashes and its -PLUS forms: the example of RFC 5802, bindings, and lists changed under way. */
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import type { TlsFacts } from '../wire/effect.ts'
import type { LoginAnswer, LoginQuestion } from './mechanism.ts'
import { scramServer } from './scram.ts'
import { scramClient } from './scram-client.ts'
import { type ScramHash, scramHashes, sha1, sha256, verifierOf } from './scram-keys.ts'
import { clientContext, dialogue, serverContext } from './scripted.ts'

const account = { id: 1, address: 'user@example.org' }
const salt = Buffer.from('QSXCR+Q6sek8bf92', 'base64')
const text = (octets: unknown) => Buffer.from(octets as Uint8Array).toString()

const verifier = (hash: ScramHash, password: string, credential?: string) => ({
  ...verifierOf(hash, pbkdf2Sync(password, salt, 4096, hash.octets, hash.name), salt, 4096),
  ...(credential !== undefined && { credential }),
})

const policy =
  (hash: ScramHash) =>
  (question: LoginQuestion): LoginAnswer =>
    question.kind === 'scram'
      ? {
          kind: 'verifier',
          verifier: verifier(hash, 'pencil'),
          more: [verifier(hash, 'rubber', 'app')],
        }
      : { kind: 'account', account }

const tls = (bindings: TlsFacts['bindings']): TlsFacts => ({
  ...{ protocol: 'TLSv1.3', cipher: 'x', verified: true },
  ...(bindings && { bindings }),
})

const login = { username: 'user', password: 'pencil' }

test('SCRAM-SHA-1 speaks the exchange of RFC 5802 §5', () => {
  const nonce = 'fyko+d2lbbFgONRv9qkxdawL'
  const server = scramServer(sha1, 'unbound', () => '3rfcNHYJY1ZVvWVs7j')
  const exchange = server.start(Buffer.from(`n,,n=user,r=${nonce}`), serverContext())
  exchange.next()
  const challenge = exchange.next(policy(sha1)({ kind: 'scram' } as LoginQuestion)).value
  assert.ok(challenge !== undefined && 'octets' in challenge)
  assert.equal(text(challenge.octets), `r=${nonce}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`)
  const final = `c=biws,r=${nonce}3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`
  exchange.next(Buffer.from(final))
  const end = exchange.next({ kind: 'account', account }).value
  assert.ok(end !== undefined && 'final' in end)
  assert.equal(text(end.final), 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')
})

test('every hash logs in, bound and unbound; a wrong password does not', async () => {
  const facts = tls({ 'tls-exporter': Buffer.from('key').toString('base64') })
  const offered = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512-PLUS']
  for (const hash of scramHashes)
    for (const form of ['unbound', 'bound'] as const) {
      const contexts = {
        client: clientContext({ tls: facts, offered }),
        server: serverContext({ tls: facts, offered }),
      }
      const sides = [scramClient(hash, form), scramServer(hash, form)] as const
      const right = await dialogue(...sides, login, policy(hash), contexts)
      assert.deepEqual([right.result.kind, right.satisfied], ['done', true], sides[1].name)
      const wrong = { ...login, password: 'pen' }
      const denied = await dialogue(...sides, wrong, policy(hash), contexts)
      assert.deepEqual([denied.result.kind, denied.satisfied], ['failed', false], sides[1].name)
    }
})

test('the proof of an app password is told by its handle, and the server signs with its key', async () => {
  const sides = [scramClient(sha256, 'unbound'), scramServer(sha256, 'unbound')] as const
  const { asked, satisfied } = await dialogue(
    ...sides,
    { username: 'user', password: 'rubber' },
    policy(sha256),
  )
  assert.equal(satisfied, true)
  const proven = asked[1]
  assert.equal(proven?.kind === 'proven' && proven.credential, 'app')
})

test('a client binds to the strongest binding it has', async () => {
  const bindings = { 'tls-unique': 'AAAA', 'tls-server-end-point': 'BBBB' }
  for (const [facts, named] of [
    [tls({ ...bindings, 'tls-exporter': 'CCCC' }), 'tls-exporter'],
    [tls(bindings), 'tls-unique'],
    [tls({ 'tls-server-end-point': 'BBBB' }), 'tls-server-end-point'],
  ] as const) {
    const first = scramClient(sha256, 'bound')
      .start(login, clientContext({ tls: facts }))
      .next()
    assert.match(text(first.value), new RegExp(`^p=${named},,n=user,`))
  }
  const none = scramClient(sha256, 'bound').start(login, clientContext({ tls: tls(undefined) }))
  assert.deepEqual(none.next(), { done: true, value: false })
})

test('who sits between two TLS connections can pass nothing on', async () => {
  const sides = [scramClient(sha256, 'bound'), scramServer(sha256, 'bound')] as const
  const { result } = await dialogue(...sides, login, policy(sha256), {
    client: clientContext({ tls: tls({ 'tls-exporter': 'AAAA' }) }),
    server: serverContext({ tls: tls({ 'tls-exporter': 'BBBB' }) }),
  })
  assert.deepEqual(result, {
    ...{ kind: 'failed', reason: 'denied', why: 'the channel binding differs' },
  })
})

test('a list of mechanisms that was changed under way is noticed (RFC 5802 §6)', async () => {
  const facts = tls({ 'tls-exporter': 'AAAA' })
  const sides = [scramClient(sha256, 'unbound'), scramServer(sha256, 'unbound')] as const
  const client = clientContext({ tls: facts, offered: ['SCRAM-SHA-256'] })
  const run = async (offered: readonly string[]) => {
    const server = serverContext({ tls: facts, offered })
    return (await dialogue(...sides, login, policy(sha256), { client, server })).result.kind
  }
  assert.equal(await run(['SCRAM-SHA-256']), 'done')
  assert.equal(await run(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']), 'failed')
  assert.equal(await run(['SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS']), 'failed')
  // Of a hash that he may not know it says nothing.
  assert.equal(await run(['SCRAM-SHA-256', 'SCRAM-SHA-512-PLUS']), 'done')
})

test('the flag and the form of the mechanism must fit', () => {
  const facts = tls({ 'tls-exporter': 'AAAA' })
  for (const [form, flag] of [
    ['bound', 'n'],
    ['bound', 'y'],
    ['bound', 'p=tls-unique'],
    ['bound', 'p=constructor'],
    ['unbound', 'p=tls-exporter'],
  ] as const) {
    const exchange = scramServer(sha256, form).start(
      Buffer.from(`${flag},,n=user,r=abc`),
      serverContext({ tls: facts }),
    )
    const { value } = exchange.next()
    assert.ok('reason' in value && value.reason === 'denied', `${form} ${flag}`)
  }
})
