/** DIGEST-MD5 against the examples of its RFC, both sides against each other, and what must not pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestMd5Client, digestMd5Server } from './digest-md5.ts'
import { digestResponse, digestSecret } from './digest-md5-keys.ts'
import { parseDirectives, quote } from './digest-md5-message.ts'
import type { LoginAnswer, LoginQuestion } from './mechanism.ts'
import { clientContext, dialogue, runServer, serverContext } from './scripted.ts'

const account = { id: 1, address: 'chris@example.org' }
const text = (octets: unknown) => Buffer.from(octets as Uint8Array).toString()

const keeping =
  (name: string, password: string, genuine = true) =>
  (question: LoginQuestion): LoginAnswer => {
    if (question.kind !== 'secret') return { kind: 'account', account }
    const octets = digestSecret(name, question.realm ?? '', password)
    return { kind: 'secret', secrets: [{ octets, genuine }] }
  }

test('responses are those of RFC 2831 §4', () => {
  const secret = digestSecret('chris', 'elwood.innosoft.com', 'secret')
  const facts = {
    ...{ nonce: 'OA6MG9tEQGm2hh', cnonce: 'OA6MHXh6VqTrRk', nc: '00000001' },
    uri: 'imap/elwood.innosoft.com',
  }
  assert.equal(
    text(digestResponse(secret, facts, 'AUTHENTICATE')),
    'd388dad90d4bbd760a152321f2143af7',
  )
  assert.equal(text(digestResponse(secret, facts, '')), 'ea40f60335c427b5527b84dbabcdfffd')
})

test('both sides meet, each sure of the other, with names beyond ASCII and in quotes', async () => {
  for (const [username, password] of [
    ['chris', 'secret'],
    ['ärger', 'pässwörd'],
    ['日本', '秘密'],
    ['a"b\\c,d=e', 'x"y\\z'],
  ] as const) {
    const sides = [digestMd5Client, digestMd5Server] as const
    const login = { username, password }
    const { result, satisfied, asked } = await dialogue(
      ...sides,
      login,
      keeping(username, password),
    )
    assert.equal(result.kind, 'done', username)
    assert.equal(satisfied, true, username)
    assert.equal(asked[0]?.username, username)
    const wrong = await dialogue(...sides, login, keeping(username, 'other'))
    assert.equal(wrong.result.kind, 'failed', username)
    const nobody = await dialogue(...sides, login, keeping(username, password, false))
    assert.equal(nobody.result.kind, 'failed', username)
  }
})

test('an identity to act as is part of the proof', async () => {
  const login = { username: 'chris', password: 'secret', authorize: 'boss' }
  const ran = await dialogue(digestMd5Client, digestMd5Server, login, keeping('chris', 'secret'))
  const [, proven] = ran.asked
  assert.equal(proven?.kind === 'proven' && proven.authorize, 'boss')
})

/** What the client of ours says to the challenge of ours, changed. */
async function changed(change: (response: string) => string) {
  const context = serverContext()
  const server = digestMd5Server.start(undefined, context)
  const first = server.next().value
  assert.ok(first !== undefined && 'octets' in first)
  const client = digestMd5Client.start({ username: 'chris', password: 'secret' }, clientContext())
  client.next()
  const said = text(client.next(first.octets).value)
  const { result } = runServer(
    digestMd5Server,
    [undefined, change(said)],
    keeping('chris', 'secret'),
    context,
  )
  return result.kind === 'failed' ? result.reason : result.kind
}

test('a response that was changed, replayed or made for another is refused', async () => {
  assert.equal(await changed(said => said), 'done')
  for (const [from, to] of [
    [/nonce="[^"]*"/, 'nonce="other"'],
    ['nc=00000001', 'nc=00000002'],
    ['realm="mx.test"', 'realm="other"'],
    ['realm="mx.test",', ''],
    ['digest-uri="smtp/', 'digest-uri="imap/'],
    ['digest-uri="smtp/mx.test"', 'digest-uri="smtp"'],
    [/cnonce="[^"]*"/, 'cnonce="x"'],
    [/response=\w{4}/, 'response=0000'],
  ] as const)
    assert.equal(await changed(said => said.replace(from, to)), 'denied', String(from))
})

test('what is no digest-response is malformed', async () => {
  for (const [from, to] of [
    [/^.*$/, ''],
    [/^.*$/, 'x'],
    ['qop=auth', 'qop=auth-conf'],
    ['qop=auth', 'qop=auth,qop=auth'],
    ['username="chris"', 'username=""'],
    ['username="chris",', ''],
    ['nc=00000001', 'nc=1'],
    [/response=\w+/, 'response=abc'],
    ['username="chris"', 'username="chris'],
    ['username="chris"', 'username="a\0"'],
  ] as const)
    assert.equal(await changed(said => said.replace(from, to)), 'malformed', String(to))
  assert.equal(await changed(said => `${said},x="${'y'.repeat(5000)}"`), 'malformed')
})

test('who begins with a response of before is given a new challenge', () => {
  const { challenges } = runServer(digestMd5Server, ['username="x"'], keeping('x', 'x'))
  assert.match(text(challenges[0]), /stale=true/)
})

test('a client gives up where it cannot answer, and does not take a server that is not sure', () => {
  const offer = 'realm="r",nonce="n",algorithm=md5-sess,charset=utf-8,qop="auth-int, auth"'
  const start = (challenge: string, username = 'u') => {
    const client = digestMd5Client.start({ username, password: 'p' }, clientContext())
    client.next()
    return { client, step: client.next(Buffer.from(challenge)) }
  }
  assert.match(text(start(offer).step.value), /^charset=utf-8,username="u",realm="r",nonce="n"/)
  for (const bad of [
    '',
    offer.replace('nonce="n",', ''),
    offer.replace('nonce="n"', 'nonce="n",nonce="m"'),
    offer.replace('md5-sess', 'md5'),
    offer.replace('auth-int, auth', 'auth-int'),
  ])
    assert.equal(start(bad).step.done, true, bad)
  assert.equal(start(offer.replace(',charset=utf-8', ''), '日').step.done, true)
  const { client } = start(offer)
  assert.deepEqual(client.next(Buffer.from('rspauth=00')), { done: true, value: false })
})

test('directives are read with spaces, empty elements and quotes', () => {
  const read = parseDirectives(' a=b, ,c = "d \\" e" ,, realm="x",realm="y"')
  assert.deepEqual(
    [...(read ?? [])],
    [
      ['a', ['b']],
      ['c', ['d " e']],
      ['realm', ['x', 'y']],
    ],
  )
  assert.equal(quote('a"\\'), '"a\\"\\\\"')
  for (const bad of ['', 'a', 'a=', 'a="', 'a=b c=d', '=x', 'a="b"c']) {
    assert.equal(parseDirectives(bad), undefined, bad)
  }
})
