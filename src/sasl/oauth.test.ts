/** OAUTHBEARER and XOAUTH2: the example of RFC 7628, errors as JSON, and what is no message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoginAnswer } from './mechanism.ts'
import { oauthBearerClient, oauthBearerServer } from './oauthbearer.ts'
import { clientContext, dialogue, runServer } from './scripted.ts'
import { xoauth2Client, xoauth2Server } from './xoauth2.ts'

const account = { id: 1, address: 'user@example.com' }
const yes = (): LoginAnswer => ({ kind: 'account', account })
const text = (octets: unknown) => Buffer.from(octets as Uint8Array).toString()
const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='
const message = `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${token}\x01\x01`
const asked = (mechanism: string, authorize: string) => [
  { kind: 'token', mechanism, username: authorize, authorize, token },
]

test('the message of RFC 7628 §4.1 is said and understood', () => {
  const login = { username: 'user@example.com', token }
  const context = clientContext({ hostname: 'server.example.com', port: 143 })
  assert.equal(text(oauthBearerClient.start(login, context).next().value), message)
  const ran = runServer(oauthBearerServer, [message], yes)
  assert.deepEqual(ran.asked, asked('OAUTHBEARER', 'user@example.com'))
  const bare = runServer(oauthBearerServer, [undefined, `n,,\x01auth=bearer ${token}\x01\x01`], yes)
  assert.deepEqual(bare.asked, asked('OAUTHBEARER', ''))
})

test('XOAUTH2 is said and understood', () => {
  const login = { username: 'user@example.com', token }
  const said = text(xoauth2Client.start(login, clientContext()).next().value)
  assert.equal(said, `user=user@example.com\x01auth=Bearer ${token}\x01\x01`)
  assert.deepEqual(
    runServer(xoauth2Server, [said], yes).asked,
    asked('XOAUTH2', 'user@example.com'),
  )
})

test('why a token is not taken is told as JSON, and then the exchange fails', async () => {
  const error = { status: 'insufficient_scope', scope: 'mail', configuration: 'https://x' } as const
  const denied = (): LoginAnswer => ({ kind: 'denied', why: 'no', token: error })
  const login = { username: 'u', token }
  const bearer = await dialogue(oauthBearerClient, oauthBearerServer, login, denied)
  assert.equal(bearer.result.kind, 'failed')
  assert.equal(bearer.satisfied, false)
  assert.deepEqual(JSON.parse(text(bearer.challenges[0])), {
    ...{ status: 'insufficient_scope', scope: 'mail', 'openid-configuration': 'https://x' },
  })
  const old = await dialogue(xoauth2Client, xoauth2Server, login, denied)
  assert.equal(old.result.kind, 'failed')
  assert.deepEqual(JSON.parse(text(old.challenges[0])), {
    ...{ status: '403', schemes: 'bearer', scope: 'mail' },
  })
  // Whatever is said to the error, it is over.
  for (const dummy of ['\x01', '', 'x'])
    assert.equal(runServer(oauthBearerServer, [message, dummy], denied).result.kind, 'failed')
  const away = (): LoginAnswer => ({ kind: 'unavailable', why: 'later' })
  assert.deepEqual(runServer(oauthBearerServer, [message], away).challenges, [])
})

test('an empty auth asks where tokens are to be had', () => {
  const { asked: questions } = runServer(oauthBearerServer, ['n,,\x01auth=\x01\x01'], yes)
  assert.equal(questions[0]?.kind === 'token' && questions[0].token, '')
})

test('what is no message is malformed', () => {
  for (const bad of [
    ...['', 'n,,', 'n,,\x01\x01', `n,,\x01auth=Basic ${token}\x01\x01`, 'x'],
    ...[message.slice(0, -1), `${message}x`, message.replace('n,', 'p=tls-unique,')],
    ...[message.replace('a=', 'b='), message.replace('a=user', 'a=us=er')],
    ...[message.replace('auth=', 'outh='), message.replace(token, `${token}\n`)],
    ...[message.replace('\x01auth', `\x01auth=Bearer x\x01auth`), `${message}\0`],
  ]) {
    const { result } = runServer(oauthBearerServer, [bad], yes)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', JSON.stringify(bad))
  }
  const good = `user=u\x01auth=Bearer ${token}\x01\x01`
  for (const bad of ['', 'user=u', good.slice(0, -1), good.replace('u\x01', '\x01'), `${good}x`]) {
    const { result } = runServer(xoauth2Server, [bad], yes)
    assert.equal(result.kind === 'failed' && result.reason, 'malformed', JSON.stringify(bad))
  }
})

test('a client says nothing where the token or the name would break the message', () => {
  for (const login of [
    { username: 'u', token: 'a b' },
    { username: 'u', token: '' },
    { username: 'u\x01x', token },
  ])
    for (const client of [oauthBearerClient, xoauth2Client])
      assert.deepEqual(client.start(login, clientContext()).next(), { done: true, value: false })
})
