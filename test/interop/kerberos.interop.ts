/**
 * Logins with a ticket: MIT's KDC, a keytab of ours, and other people's programs: curl (GSSAPI for SMTP, POP3, IMAP),
 * msmtp, gsasl, and the system's library by hand (python3-gssapi), which also speaks SPNEGO and chooses wrongly.
 */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { type Kdc, startKdc } from './kdc.ts'
import { lacks, run } from './program.ts'

const HOST = 'localhost'
const PORT = 21_088 + (process.pid % 1000)
const skip = lacks('krb5kdc', 'kadmin.local', 'kinit', 'curl', 'msmtp', 'python3-gssapi')
const folder = newFolder('kerberos')

let kdc: Kdc
let server: Server
let alice: Readonly<Record<string, string>>

before(async () => {
  if (skip) return
  kdc = await startKdc(join(folder, 'kdc'), PORT, HOST, { alice: 'alicepw', mallory: 'mpw' })
  alice = await kdc.kinit('alice', 'alicepw')
  const config = join(folder, 'postrider.json')
  const mechanisms = ['GSSAPI', 'GSS-SPNEGO', 'PLAIN']
  const kerberos = { keytab: kdc.keytab, realms: { 'DEMO.TEST': 'demo.test' } }
  const actAs = { 'alice@demo.test': ['bob@demo.test'] }
  writeFileSync(config, JSON.stringify({ auth: { mechanisms, kerberos, actAs } }))
  server = await startServer({ config, env: kdc.env })
})
after(() => {
  kdc?.stop()
  clear()
})

const places = [
  ['smtp', 'submission'],
  ['imap', 'imap'],
  ['pop3', 'pop3'],
] as const

for (const [scheme, listener] of places)
  test(`curl logs in to ${scheme} by a ticket, and not without`, { skip }, async () => {
    const go = (env: Readonly<Record<string, string>>) =>
      run(
        'curl',
        [
          ...['-sS', '-k', '--ssl-reqd', '--login-options', 'AUTH=GSSAPI', '-u', ':'],
          ...(scheme === 'smtp' ? ['--request', 'NOOP'] : []),
          `${scheme}://${HOST}:${server.port(listener)}`,
        ],
        { env },
      )
    const right = await go(alice)
    assert.equal(right.code, 0, right.text)
    assert.notEqual((await go({ ...alice, KRB5CCNAME: 'FILE:/nonexistent' })).code, 0)
  })

test('msmtp submits by a ticket', { skip }, async () => {
  const args = [
    ...[`--host=${HOST}`, `--port=${server.port('submission')}`, '--tls=on', '--tls-starttls=on'],
    ...['--tls-certcheck=off', '--auth=gssapi', '--user=alice', '--from=alice@demo.test'],
  ]
  const input = 'Subject: ticket\n\nx\n'
  const sent = await run('msmtp', [...args, 'bob@demo.test'], { env: alice, input })
  assert.equal(sent.code, 0, sent.text)
})

interface Said {
  readonly mechanism?: string
  readonly form?: string
  readonly target?: string
  readonly authzid?: string
  readonly layer?: number
  readonly size?: number
  readonly env?: Readonly<Record<string, string>>
}

async function byHand(said: Said): Promise<string> {
  const { mechanism = 'GSSAPI', form = 'krb5', target = `smtp@${HOST}`, env = alice } = said
  const { authzid = '', layer = 1, size = 0 } = said
  const script = fileURLToPath(new URL('gssapi-session.py', import.meta.url))
  const args = [`${server.port('submission')}`, mechanism, form, target, authzid]
  const file = '/usr/bin/python3'
  const ran = await run({ file }, [script, ...args, `${layer}`, `${size}`], { env })
  return ran.text.trim()
}

test('RFC 4752: no layer, and as whom one may act', { skip }, async () => {
  assert.match(await byHand({}), /^235 /)
  // With the domain and without.
  for (const authzid of ['alice@demo.test', 'alice'])
    assert.match(await byHand({ authzid }), /^235 /)
  assert.match(await byHand({ authzid: 'bob@demo.test' }), /^235 /)
  assert.match(await byHand({ authzid: 'carol@demo.test' }), /^535 5\.7\.8 /)
  for (const layer of [0, 2, 3, 4]) assert.match(await byHand({ layer }), /^535 5\.7\.8 /)
  assert.match(await byHand({ size: 4096 }), /^501 5\.5\.2 /)
  assert.match(await byHand({ layer: 4, size: 4096 }), /^535 /)
})

test('SPNEGO ends with the context, under either name', { skip }, async () => {
  assert.match(await byHand({ form: 'spnego' }), /^235 /)
  assert.match(await byHand({ form: 'spnego', mechanism: 'GSS-SPNEGO' }), /^235 /)
  assert.match(await byHand({ form: 'krb5', mechanism: 'GSS-SPNEGO' }), /^501 5\.5\.2 /)
})

test("another service's ticket and another's principal are refused", { skip }, async () => {
  assert.match(await byHand({ target: `imap@${HOST}` }), /^535 5\.7\.8 /)
  const mallory = await kdc.kinit('mallory', 'mpw')
  // Vouched for, and nobody here before: an account of its own, and nobody else's.
  assert.match(await byHand({ env: mallory, authzid: 'alice@demo.test' }), /^535 5\.7\.8 /)
})

test('the helper process that ends is started anew', { skip }, async () => {
  const helper = await run('pgrep', ['-P', `${server.pid}`])
  for (const pid of helper.stdout.toString().trim().split('\n'))
    process.kill(Number(pid), 'SIGKILL')
  assert.match(await byHand({}), /^235 /)
})

test('a keytab that cannot be read is for now: 454', { skip }, async () => {
  renameSync(kdc.keytab, `${kdc.keytab}.away`)
  assert.match(await byHand({}), /^454 4\.7\.0 /)
  renameSync(`${kdc.keytab}.away`, kdc.keytab)
  assert.match(await byHand({}), /^235 /)
})
