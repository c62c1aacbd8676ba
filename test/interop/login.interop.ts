/**
 * Logins by other people's programs: GNU SASL's gsasl (SCRAM bound to TLS), curl (NTLM, DIGEST-MD5, CRAM-MD5,
 * APOP), msmtp (SCRAM, EXTERNAL, tokens), and a directory of slapd. A wrong password is refused by each.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { lacks, type Ran, run } from './program.ts'
import { type Slapd, startSlapd } from './slapd.ts'

const folder = newFolder('login')
const file = (name: string) => join(folder, name)
const SCRAM = ['SCRAM-SHA-1', 'SCRAM-SHA-256'].flatMap(name => [`${name}-PLUS`, name])

let server: Server
let introspection: string
const issuer = createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece))
  request.on('end', () => {
    const active = body.includes('token=good')
    response.end(JSON.stringify({ active, email: server.account(0).address }))
  })
})

async function certificate(): Promise<void> {
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=printer', '-addext', 'subjectAltName=email:alice@demo.test', '-days', '2'],
    ...['-keyout', file('client.key'), '-out', file('client.crt')],
  ])
  assert.equal(made.code, 0, made.text)
}

before(async () => {
  await certificate()
  issuer.listen(0, '127.0.0.1')
  await new Promise(resolve => issuer.once('listening', resolve))
  introspection = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/`
  const config = file('postrider.json')
  const named = [
    'PLAIN',
    'LOGIN',
    'CRAM-MD5',
    'DIGEST-MD5',
    'NTLM',
    'GSS-SPNEGO',
    'APOP',
    'OAUTHBEARER',
  ]
  const settings = {
    auth: {
      mechanisms: ['EXTERNAL', ...SCRAM, ...named, 'XOAUTH2'],
      oauth: {
        issuer: 'https://issuer.test',
        introspection: { url: introspection, clientId: 'us', clientSecret: 'secret' },
      },
    },
    listeners: { submission: { clientCertificates: { roots: file('client.crt') } } },
  }
  writeFileSync(config, JSON.stringify(settings))
  server = await startServer({ config })
})
after(() => {
  issuer.closeAllConnections()
  issuer.close()
  clear()
})

const alice = () => server.account(0)

function gsasl(mechanism: string, password: string, more: readonly string[]): Promise<Ran> {
  const who = ['--authentication-id', alice().address, '--password', password]
  const place = ['--smtp', '127.0.0.1', `${server.port('submission')}`]
  const args = ['--mechanism', mechanism, '--x509-ca-file=', ...who, ...more, ...place]
  return run('gsasl', ['--client', ...args], { input: 'QUIT\r\n' })
}

for (const mechanism of [...SCRAM, 'PLAIN', 'LOGIN', 'CRAM-MD5'])
  test(`gsasl logs in by ${mechanism}`, { skip: lacks('gsasl', 'openssl') }, async () => {
    const more = mechanism.endsWith('-PLUS') ? [] : ['--no-cb']
    const right = await gsasl(mechanism, alice().password, more)
    assert.equal(right.code, 0, right.text)
    assert.notEqual((await gsasl(mechanism, 'wrong', more)).code, 0)
  })

const schemes = [
  ['smtp', 'submission'],
  ['imap', 'imap'],
  ['pop3', 'pop3'],
] as const

for (const mechanism of ['NTLM', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN', '+APOP'])
  for (const [scheme, listener] of schemes.filter(([s]) => mechanism !== '+APOP' || s === 'pop3'))
    test(`curl logs in by ${mechanism} to ${scheme}`, { skip: lacks('curl') }, async () => {
      const go = (password: string) =>
        run('curl', [
          ...['-sS', '-k', '--ssl-reqd', '--login-options', `AUTH=${mechanism}`],
          ...['-u', `${alice().address}:${password}`],
          ...(scheme === 'smtp' ? ['--request', 'NOOP'] : []),
          `${scheme}://127.0.0.1:${server.port(listener)}`,
        ])
      const right = await go(alice().password)
      assert.equal(right.code, 0, right.text)
      // CURLE_LOGIN_DENIED
      assert.equal((await go('wrong')).code, 67)
    })

test("the system's SPNEGO logs in by NTLM, signed by both sides", {
  skip: lacks('python3-gssapi', 'gss-ntlmssp'),
}, async () => {
  const script = new URL('ntlmssp-session.py', import.meta.url).pathname
  const go = (password: string) =>
    run({ file: '/usr/bin/python3' }, [
      script,
      `${server.port('submission')}`,
      'GSS-SPNEGO',
      alice().address,
      password,
    ])
  const right = await go(alice().password)
  assert.match(right.text, /^235 2\.7\.0 [^\n]*\ncomplete /, right.text)
  assert.match((await go('wrong')).text, /^535 5\.7\.8 [^\n]*\nnot complete/)
})

function msmtp(auth: string, password: string, more: readonly string[] = []): Promise<Ran> {
  writeFileSync(file('password'), `${password}\n`)
  return run(
    'msmtp',
    [
      ...['--host=127.0.0.1', `--port=${server.port('submission')}`, '--tls=on'],
      ...[
        '--tls-starttls=on',
        '--tls-certcheck=off',
        `--auth=${auth}`,
        `--user=${alice().address}`,
      ],
      ...[`--passwordeval=cat ${file('password')}`, `--from=${alice().address}`, ...more],
      server.account(1).address,
    ],
    { input: 'Subject: login\n\nx\n' },
  )
}

for (const auth of ['scram-sha-1', 'scram-sha-256', 'cram-md5', 'digest-md5', 'plain', 'login'])
  test(`msmtp logs in by ${auth}`, { skip: lacks('msmtp') }, async () => {
    const right = await msmtp(auth, alice().password)
    assert.equal(right.code, 0, right.text)
    // EX_NOPERM
    assert.equal((await msmtp(auth, 'wrong')).code, 77)
  })

for (const auth of ['oauthbearer', 'xoauth2'])
  test(`msmtp logs in by ${auth}, and is told why not`, { skip: lacks('msmtp') }, async () => {
    const right = await msmtp(auth, 'good')
    assert.equal(right.code, 0, right.text)
    assert.equal((await msmtp(auth, 'bad')).code, 77)
  })

test('msmtp logs in by its certificate', { skip: lacks('msmtp', 'openssl') }, async () => {
  const shown = [`--tls-cert-file=${file('client.crt')}`, `--tls-key-file=${file('client.key')}`]
  const right = await msmtp('external', '', shown)
  assert.equal(right.code, 0, right.text)
  assert.notEqual((await msmtp('external', '')).code, 0)
})

test('no password stands in any line of the log', () => {
  const log = server.log.join('\n')
  assert.equal(log.includes(alice().password), false)
  assert.equal(log.includes(Buffer.from(alice().password).toString('base64').slice(0, 20)), false)
})

const people = { skip: lacks('slapd', 'ldapadd', 'curl') }
const PORT = 20_389 + (process.pid % 1000)

test('who is in the directory and in its group logs in, and has an account', people, async t => {
  const slapd: Slapd = await startSlapd(newFolder('slapd'), PORT)
  t.after(() => slapd.stop())
  const config = file('ldap.json')
  const ldap = {
    ...{ url: slapd.url, base: 'ou=people,dc=demo,dc=test', aliases: ['labeledURI'] },
    ...{ bindDn: 'cn=admin,dc=demo,dc=test', bindPassword: 'adminpw' },
    ...{ filter: '(|(mail=%u)(uid=%n))', group: '(&(cn=mail)(member=%dn))' },
  }
  writeFileSync(config, JSON.stringify({ auth: { ldap } }))
  const by = await startServer({ config })
  const login = async (name: string, password: string) => {
    const url = `imap://127.0.0.1:${by.port('imap')}`
    const user = ['-u', `${name}:${password}`]
    const auth = ['--login-options', 'AUTH=PLAIN']
    return (await run('curl', ['-sS', '-k', '--ssl-reqd', ...auth, ...user, url])).code
  }
  assert.equal(await login('dan@demo.test', 'dänpw'), 0)
  for (const [name, password] of [
    ['dan@demo.test', 'wrong'],
    ['dan@demo.test', '*'],
    ['eve@demo.test', 'evepw'],
    ['*@demo.test', 'dänpw'],
    ['dan)(uid=*@demo.test', 'dänpw'],
    ['*)(mail=dan@demo.test', 'dänpw'],
    ['nobody@demo.test', 'x'],
  ] as const)
    assert.equal(await login(name, password), 67, `${name} ${password}`)
  // Our own people go on.
  assert.equal(await login(by.account(0).address, by.account(0).password), 0)
  slapd.stop()
  assert.equal(await login('dan@demo.test', 'dänpw'), 0, 'remembered')
  assert.equal(await login('eve@demo.test', 'evepw'), 67)
  const log = by.log.join('\n')
  for (const secret of ['dänpw', 'evepw', 'adminpw']) assert.equal(log.includes(secret), false)
  assert.ok(readFileSync(config, 'utf8').includes('adminpw'))
})
