/** Filters of directories, tokens by keys and by introspection, and a service that knows passwords. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { silent } from '../world/log.ts'
import { nodeClock } from '../world/node/clock.ts'
import { authoritiesOf } from './authorities.ts'
import { escapeFilter, filled } from './ldap-authority.ts'
import { oauthSchema } from './settings/authority.ts'
import { settingsSchema } from './settings/settings.ts'
import { tokenAuthority } from './token-authority.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise(resolve => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('no name opens, closes or widens a filter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), name => {
      const filter = filled('(|(mail=%u)(uid=%n))', { u: name, n: name })
      const bare = filter.replace(/\\[0-9a-f]{2}/g, 'x')
      assert.match(bare, /^\(\|\(mail=[^()*\\\0]*\)\(uid=[^()*\\\0]*\)\)$/)
    }),
    { numRuns: 300 },
  )
})

test('whatever a name holds, it is one value of a filter', () => {
  assert.equal(escapeFilter('a*b(c)d\\e\0ü'), 'a\\2ab\\28c\\29d\\5ce\\00\\c3\\bc')
  const names = { u: '*)(uid=*@x.test', n: '*)(uid=*', d: 'x.test', dn: 'cn=%u,dc=x' }
  assert.equal(filled('(mail=%u)', names), '(mail=\\2a\\29\\28uid=\\2a@x.test)')
  assert.equal(filled('(&(uid=%n)(dc=%d))', names), '(&(uid=\\2a\\29\\28uid=\\2a)(dc=x.test))')
  assert.equal(filled('(member=%dn)', names), '(member=cn=%u,dc=x)')
  assert.equal(filled('(x=%x)', names), '(x=%x)')
})

const { privateKey, publicKey } = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
const issuer = 'https://issuer.test'

const signed = (claims: Record<string, unknown>, over: { exp?: string; aud?: string } = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer(issuer)
    .setAudience(over.aud ?? 'mail')
    .setExpirationTime(over.exp ?? '1h')
    .sign(privateKey)

test('a token counts by its signature, issuer, audience, time, scope and claim', async t => {
  let fetched = 0
  const url = await serve(t, (_request, response) => {
    fetched++
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  const settings = oauthSchema.parse({ issuer, jwks: url, audience: ['mail'], scopes: ['imap'] })
  const { check } = tokenAuthority(settings, nodeClock)
  const good = { email: 'joe@x.test', scope: 'imap smtp' }
  assert.deepEqual(await check(await signed(good)), { kind: 'owner', names: ['joe@x.test'] })
  assert.deepEqual(await check(await signed({ ...good, scope: undefined, scp: ['imap'] })), {
    ...{ kind: 'owner', names: ['joe@x.test'] },
  })
  const error = {
    status: 'invalid_token',
    configuration: `${issuer}/.well-known/openid-configuration`,
    scope: 'imap',
  }
  const [head = '', body = ''] = (await signed(good)).split('.')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`
  const shared = await new SignJWT(good)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setExpirationTime('1h')
    .sign(Buffer.from(JSON.stringify(jwk)))
  for (const bad of [
    '',
    'x',
    'x'.repeat(20_000),
    `${head}.${body}.AAAA`,
    none,
    shared,
    await signed(good, { exp: '-2m' }),
    await signed(good, { aud: 'other' }),
    await signed({ scope: 'imap' }),
    await signed({ ...good, email_verified: false }),
    await signed({ ...good, email: { x: 1 } }),
  ])
    assert.deepEqual(await check(bad), { kind: 'refused', error }, bad.slice(0, 60))
  assert.deepEqual(await check(await signed({ ...good, scope: 'smtp' })), {
    ...{ kind: 'refused', error: { ...error, status: 'insufficient_scope' } },
  })
  assert.equal(fetched, 1)
})

test('where the keys cannot be had no token is wrong', async () => {
  const settings = oauthSchema.parse({ issuer, jwks: 'http://127.0.0.1:1/x', timeout: '1s' })
  const answer = await tokenAuthority(settings, nodeClock).check(await signed({ email: 'a@b' }))
  assert.equal(answer.kind, 'unavailable')
})

test('introspection says whose a token is, and is asked once a minute', async t => {
  const asked: string[] = []
  const url = await serve(t, (request, response) => {
    let body = ''
    request.on('data', piece => (body += piece))
    request.on('end', () => {
      asked.push(`${request.headers.authorization} ${body}`)
      const active = body.includes('good')
      const exp = body.includes('old') ? 1 : Math.floor(nodeClock.now() / 1000) + 60
      const broken = body.includes('broken')
      response.statusCode = broken ? 500 : 200
      response.end(JSON.stringify({ active, exp, email: 'joe@x.test', iss: issuer }))
    })
  })
  const introspection = { url, clientId: 'us', clientSecret: 's:1' }
  const { check } = tokenAuthority(oauthSchema.parse({ issuer, introspection }), nodeClock)
  for (let i = 0; i < 2; i++)
    assert.deepEqual(await check('good'), { kind: 'owner', names: ['joe@x.test'] })
  assert.equal(asked.length, 1)
  const login = Buffer.from('us:s%3A1').toString('base64')
  assert.equal(asked[0], `Basic ${login} token=good&token_type_hint=access_token`)
  assert.equal((await check('bad')).kind, 'refused')
  assert.equal((await check('good-old')).kind, 'refused')
  assert.equal((await check('broken')).kind, 'unavailable')
})

test('a service is asked for a password by POST, and its answers are few', async t => {
  const asked: unknown[] = []
  const url = await serve(t, (request, response) => {
    let body = ''
    request.on('data', piece => (body += piece))
    request.on('end', () => {
      const question = JSON.parse(body) as { readonly username: string }
      asked.push({ ...question, as: request.headers.authorization })
      const [status = '500'] = question.username.split('@')
      response.statusCode = Number(status)
      response.end(status === '200' ? '{"address":"joe@x.test"}' : '{}')
    })
  })
  const settings = settingsSchema.parse({ auth: { http: { url, secret: 'hush' } } })
  const [authority] = authoritiesOf(
    () => settings,
    () => undefined,
    { clock: nodeClock, log: silent },
  )().passwords.slice(-1)
  const check = (username: string) =>
    authority?.check({ username, password: 'p"\\', scope: 'imap' })
  assert.deepEqual(await check('200@x.test'), { kind: 'account', address: 'joe@x.test' })
  assert.deepEqual(asked[0], {
    ...{ username: '200@x.test', password: 'p"\\', service: 'imap', as: 'Bearer hush' },
  })
  assert.deepEqual(await check('401@x.test'), { kind: 'wrong' })
  assert.deepEqual(await check('404@x.test'), { kind: 'unknown' })
  assert.equal((await check('500@x.test'))?.kind, 'unavailable')
})

test('URLs in the clear are for this machine only', () => {
  const parse = (url: string) => oauthSchema.safeParse({ issuer, jwks: url }).success
  assert.equal(parse('https://x.test/keys'), true)
  assert.equal(parse('http://127.0.0.1:8080/keys'), true)
  assert.equal(parse('http://x.test/keys'), false)
  assert.equal(parse('http://127.0.0.1.x.test/keys'), false)
  assert.equal(parse('file:///etc/passwd'), false)
  assert.equal(oauthSchema.safeParse({ issuer }).success, false)
})
