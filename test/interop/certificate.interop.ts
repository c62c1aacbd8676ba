/**
 * A certificate file that is replaced while the server runs, as certbot does it: the next
 * connection sees the new one, by openssl s_client and by Node, and nothing is restarted.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { lacks, run, until } from './program.ts'

const skip = lacks('openssl')
const folder = newFolder('tls')
const file = (name: string) => join(folder, name)
let server: Server

/** A new key and certificate for localhost, put in place as a whole. */
async function renew(name: string, kind: readonly string[]): Promise<string> {
  const made = await run('openssl', [
    ...['req', '-x509', '-nodes', '-days', '2', ...kind, '-subj', `/CN=${name}`],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', file('new.key')],
    ...['-out', file('new.crt')],
  ])
  assert.equal(made.code, 0, made.text)
  renameSync(file('new.key'), file('tls.key'))
  renameSync(file('new.crt'), file('tls.crt'))
  return new X509Certificate(readFileSync(file('tls.crt'))).fingerprint256
}

const RSA = ['-newkey', 'rsa:2048']
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

before(async () => {
  if (skip) return
  await renew('first', RSA)
  server = await startServer({
    set: { tls: JSON.stringify({ certificate: file('tls.crt'), key: file('tls.key') }) },
  })
})
after(async () => {
  if (!skip) await server.stop()
  clear()
})

const DOORS = [
  ['smtp', ['-starttls', 'smtp']],
  ['submission', ['-starttls', 'smtp']],
  ['submissions', []],
  ['pop3', ['-starttls', 'pop3']],
  ['pop3s', []],
] as const

/** What openssl is shown at a listener. */
async function shown(listener: (typeof DOORS)[number][0], flags: readonly string[]) {
  const at = `localhost:${server.port(listener)}`
  const ran = await run('openssl', ['s_client', '-connect', at, '-showcerts', ...flags])
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(ran.text)?.[0]
  assert.ok(pem, `${listener}: ${ran.text}`)
  return new X509Certificate(pem).fingerprint256
}

test('every listener shows the new certificate without a restart', { skip }, async () => {
  const first = new X509Certificate(readFileSync(file('tls.crt'))).fingerprint256
  for (const [listener, flags] of DOORS) {
    if (server.listeners[listener] !== undefined) assert.equal(await shown(listener, flags), first)
  }
  const { pid } = server
  const session = await server.smtp('submissions')
  for (const kind of [EC, RSA]) {
    const renewed = await renew('renewed', kind)
    await until('the new certificate', async () =>
      (await shown('submissions', [])) === renewed ? true : undefined,
    )
    for (const [listener, flags] of DOORS) assert.equal(await shown(listener, flags), renewed)
  }
  // A session that was open all the while goes on.
  assert.equal((await session.command('NOOP')).code, 250)
  session.end()
  assert.equal(server.pid, pid)
  assert.ok(server.alive)
})

test('a certificate that does not fit its key is refused: the old one goes on', {
  skip,
}, async () => {
  const old = await shown('submissions', [])
  copyFileSync(file('tls.crt'), file('kept.crt'))
  writeFileSync(file('tls.crt'), 'not a certificate')
  await until('a word in the log', () =>
    server.log.some(line => /certificate|tls|identity/i.test(line) && /warn|error/.test(line))
      ? true
      : undefined,
  )
  assert.equal(await shown('submissions', []), old)
  assert.ok(server.alive)
  renameSync(file('kept.crt'), file('tls.crt'))
})

test('old versions of TLS are not spoken, the present ones are', { skip }, async () => {
  const at = `localhost:${server.port('submissions')}`
  const speaks = async (...flags: string[]) =>
    (await run('openssl', ['s_client', '-connect', at, ...flags])).code === 0
  assert.equal(await speaks('-tls1_3'), true)
  assert.equal(await speaks('-tls1_2'), true)
  assert.equal(await speaks('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'), false)
  assert.equal(await speaks('-tls1', '-cipher', 'ALL:@SECLEVEL=0'), false)
})
