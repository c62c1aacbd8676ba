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

/** A certificate of its own for a name, by openssl. */
async function make(name: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [file(`${name}.crt`), file(`${name}.key`)]
  const made = await run('openssl', [
    ...['req', '-x509', '-nodes', '-days', '2', ...EC, '-subj', `/CN=${name}`],
    ...['-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', certificate],
  ])
  assert.equal(made.code, 0, made.text)
  return { certificate, key }
}

test('the name a client asks for chooses the certificate, and his own is known or refused', {
  skip,
}, async () => {
  const [one, two, known, other] = await Promise.all(
    ['one.test', 'two.test', 'known.test', 'other.test'].map(make),
  )
  assert.ok(one && two && known && other)
  const roots = { roots: known.certificate }
  const ours = await startServer({
    set: {
      tls: JSON.stringify([one, two]),
      'listeners.smtp.clientCertificates': JSON.stringify(roots),
      'listeners.submissions.clientCertificates': JSON.stringify({ ...roots, required: true }),
      'listeners.smtp.with': 'TURN',
    },
  })
  const say = async (listener: 'smtp' | 'submissions', flags: readonly string[]) => {
    const at = `127.0.0.1:${ours.port(listener)}`
    const start = listener === 'smtp' ? ['-starttls', 'smtp'] : []
    const input = 'EHLO x\nQUIT\n'
    const args = ['s_client', '-connect', at, '-crlf', '-ign_eof', ...start, ...flags]
    return (await run('openssl', args, { input })).text
  }
  const shows = ({ certificate, key }: { certificate: string; key: string }) => [
    ...['-cert', certificate, '-key', key],
  ]
  assert.match(await say('smtp', ['-servername', 'two.test']), /subject=CN = two\.test/)
  assert.match(await say('smtp', ['-servername', 'three.test']), /subject=CN = one\.test/)
  // TURN is offered only to whom the roots know.
  assert.match(await say('smtp', shows(known)), /^250 TURN$/m)
  assert.doesNotMatch(await say('smtp', shows(other)), /TURN/)
  assert.match(await say('submissions', shows(known)), /^220 /m)
  assert.doesNotMatch(await say('submissions', shows(other)), /^220 /m)
  assert.doesNotMatch(await say('submissions', []), /^220 /m)
  assert.deepEqual(ours.faults(), [])
  await ours.stop()
})
