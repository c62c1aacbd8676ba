/**
 * swaks and curl with odd options: clients that stop, hang up, half-close, pipe everything or speak the
 * wrong dialect at any point. Nothing half-said is taken, and the server minds none of it.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { takeAll, takeOne } from './mailbox.ts'
import { lacks, run } from './program.ts'

let server: Server
const folder = newFolder('odd')

before(async () => {
  server = await startServer()
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

const bob = () => server.account(1)

function swaks(flags: readonly string[], listener: 'smtp' | 'lmtp' = 'smtp') {
  const place = ['-s', '127.0.0.1', '--port', `${server.port(listener)}`, '--timeout', '5s']
  return run('swaks', [...place, '--from', 'joe@else.test', '--to', bob().address, ...flags])
}

/** Nothing of what was said before has become a message. */
async function nothingCame(): Promise<void> {
  assert.deepEqual(await takeAll(server, bob()), [])
}

const STEPS = ['CONNECT', 'FIRST-EHLO', 'TLS', 'EHLO', 'MAIL', 'RCPT'] as const

test('swaks stops or hangs up after each step, and nothing is taken', {
  skip: lacks('swaks'),
}, async () => {
  for (const how of ['--quit-after', '--drop-after', '--drop-after-send']) {
    for (const step of STEPS) {
      // Nothing is sent to connect.
      if (how === '--drop-after-send' && step === 'CONNECT') continue
      const { text } = await swaks(['-tls', how, step])
      assert.doesNotMatch(text, /~> \.$/m, `${how} ${step}: ${text}`)
    }
  }
  await nothingCame()
})

test('swaks hangs up behind its final dot: the message is there, once', {
  skip: lacks('swaks'),
}, async () => {
  await swaks(['--drop-after-send', 'DOT', '--h-Subject', 'dropped'])
  assert.match(await takeOne(server, bob()), /^Subject: dropped\r$/m)
  await nothingCame()
})

for (const [title, flags, listener] of [
  ['everything in one group', ['--pipeline'], 'smtp'],
  ['everything in one group under TLS', ['--pipeline', '-tls'], 'smtp'],
  ['HELO', ['--protocol', 'SMTP'], 'smtp'],
  ['a hello with an address in brackets', ['--ehlo', '[127.0.0.1]'], 'smtp'],
  ['a hello with a name of the field', ['--ehlo', 'my_laptop'], 'smtp'],
  ['TLS 1.2 and no newer', ['-tls', '--tls-protocol', 'tlsv1_2'], 'smtp'],
  ['LMTP under TLS', ['-tls', '--protocol', 'LMTP'], 'lmtp'],
  ['LMTP in one group', ['--pipeline', '--protocol', 'LMTP'], 'lmtp'],
] as const) {
  test(`swaks speaks as it can: ${title}`, { skip: lacks('swaks') }, async () => {
    const ran = await swaks([...flags, '--h-Subject', 'odd'], listener)
    assert.equal(ran.code, 0, ran.text)
    assert.match(await takeOne(server, bob()), /^Subject: odd\r$/m)
  })
}

test('swaks with the wrong dialect is told so', { skip: lacks('swaks') }, async () => {
  assert.match((await swaks(['--protocol', 'LMTP'])).text, /<\*\* 500 5\.5\.1 /)
  assert.match((await swaks(['--protocol', 'ESMTP'], 'lmtp')).text, /<\*\* 500 5\.5\.1 /)
  await nothingCame()
})

test('swaks sends lone line ends: refused by the MX listener, and nothing is taken', {
  skip: lacks('swaks'),
}, async () => {
  // It then adds no final dot either.
  const data = 'Subject: bare\nTo: b\n\nline\nline\r\n.\r\n'
  const file = join(folder, 'bare')
  writeFileSync(file, data)
  const ran = await swaks(['--no-data-fixup', '--data', `@${file}`])
  assert.match(ran.text, /550 5\.6\.0 /)
  await nothingCame()
})

test('curl in odd ways: no sender, a rate, a time that runs out', {
  skip: lacks('curl'),
}, async () => {
  const url = `smtp://127.0.0.1:${server.port('smtp')}/client.test`
  const to = ['--mail-rcpt', bob().address]
  const input = 'Subject: curl\r\n\r\nx\r\n'
  const nobody = await run('curl', ['-sv', url, '--mail-from', '', ...to, '-T', '-'], { input })
  assert.equal(nobody.code, 0, nobody.text)
  assert.match(await takeOne(server, bob()), /^Return-Path: <>\r$/m)
  const slow = [
    '--limit-rate',
    '2000',
    '--max-time',
    '2',
    '--mail-from',
    'a@b.test',
    ...to,
    '-T',
    '-',
  ]
  const large = `Subject: slow\r\n\r\n${'x'.repeat(70).concat('\r\n').repeat(1_000)}`
  assert.equal((await run('curl', ['-sv', url, ...slow], { input: large, cwd: folder })).code, 28)
  await nothingCame()
})
