/**
 * Logins by the clients of Cyrus IMAP (smtptest, imtest, pop3test) through Cyrus SASL, under TLS: by each mechanism that
 * it has, and by a wrong password; with a ticket, bound to the connection as only they bind. And by swaks.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { type Kdc, startKdc } from './kdc.ts'
import { lacks, run } from './program.ts'

const HOST = 'localhost'
const PORT = 23_088 + (process.pid % 1000)
const SCRAM = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1']
const PASSWORDS = [...SCRAM, 'PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5']
const clients = [
  ['smtptest', 'submission', 'QUIT\r\n'],
  ['imtest', 'imap', 'z LOGOUT\r\n'],
  ['pop3test', 'pop3', 'QUIT\r\n'],
] as const
const skip = lacks('imtest', 'cyrus sasl')
const ticketSkip = skip || lacks('krb5kdc', 'kadmin.local', 'kinit', 'cyrus gssapi')
const folder = newFolder('cyrus-clients')

let kdc: Kdc | undefined
let server: Server
let ticket: Readonly<Record<string, string>> = {}

before(async () => {
  if (ticketSkip === false) {
    kdc = await startKdc(join(folder, 'kdc'), PORT, HOST, { alice: 'alicepw' })
    ticket = await kdc.kinit('alice', 'alicepw')
  }
  const config = join(folder, 'postrider.json')
  const tickets = kdc === undefined ? [] : ['GSSAPI', 'GSS-SPNEGO']
  const auth = {
    mechanisms: [...tickets, ...PASSWORDS],
    ...(kdc && { kerberos: { keytab: kdc.keytab } }),
  }
  writeFileSync(config, JSON.stringify({ auth, limits: { loginFailures: 1000 } }))
  server = await startServer({ config, ...(kdc && { env: kdc.env }) })
})
after(() => {
  kdc?.stop()
  clear()
})

/** What the program said; without a layer, as we have none. */
async function said(
  [program, listener, goodbye]: (typeof clients)[number],
  mechanism: string,
  who: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const place = ['-p', `${server.port(listener)}`, HOST]
  const args = ['-t', '', '-l', '0', '-m', mechanism, ...who, ...place]
  return (await run(program, args, { input: goodbye, env, timeoutMs: 20_000 })).text
}

for (const client of clients) {
  test(`${client[0]} logs in by every mechanism with a password`, { skip }, async () => {
    const { address, password } = server.account(0)
    const who = (secret: string) => ['-u', address, '-a', address, '-w', secret]
    for (const mechanism of PASSWORDS) {
      const right = await said(client, mechanism, who(password))
      assert.match(right, /^Authenticated\.$/m, `${mechanism}: ${right}`)
      assert.match(
        await said(client, mechanism, who('wrong')),
        /^Authentication failed/m,
        mechanism,
      )
    }
  })

  test(`${client[0]} logs in by a ticket`, { skip: ticketSkip }, async () => {
    for (const mechanism of ['GSSAPI', 'GSS-SPNEGO']) {
      const right = await said(client, mechanism, ['-u', 'alice'], ticket)
      assert.match(right, /^Authenticated\.$/m, `${mechanism}: ${right}`)
    }
    const none = { ...ticket, KRB5CCNAME: 'FILE:/nonexistent' }
    assert.doesNotMatch(await said(client, 'GSSAPI', ['-u', 'alice'], none), /^Authenticated/m)
  })
}

test('swaks logs in by each type it knows', { skip: lacks('swaks') }, async () => {
  const { address, password } = server.account(0)
  const go = (type: string, secret: string) => {
    const login = ['--auth', type, '--auth-user', address, '--auth-password', secret]
    const place = ['--server', `127.0.0.1:${server.port('submission')}`]
    return run('swaks', [...place, '-tls', '--quit-after', 'AUTH', ...login])
  }
  // Its NTLM is version 1, which is refused.
  for (const type of ['PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5']) {
    const right = await go(type, password)
    assert.equal(right.code, 0, right.text)
    assert.equal((await go(type, 'wrong')).code, 28, type)
  }
})
