/**
 * Mail that other people's clients hand in: swaks, msmtp, curl, Python, s-nail, Postfix's
 * smtp-source, and our own `sendmail` in the hands of a user without rights.
 */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { bodyOf, take, takeAll, takeOne } from './mailbox.ts'
import { lacks, type Ran, run } from './program.ts'

let server: Server
const NOBODY = 65534
const folder = newFolder('clients')

before(async () => {
  server = await startServer()
})
after(clear)

const alice = () => server.account(0)
const bob = () => server.account(1)

function good(ran: Ran): void {
  assert.equal(ran.code, 0, ran.text)
}

/** A message as a file, with the line ends of Unix. */
function letter(subject: string): string {
  return `From: ${alice().address}\nTo: ${bob().address}\nSubject: ${subject}\n\nHello Bob.\n.\n..\nfrom ${subject}\n`
}

/** Waits for the letter and checks that its text came through as it was. */
async function arrives(subject: string, more = ''): Promise<string> {
  const message = await takeOne(server, bob())
  assert.match(message, new RegExp(`^Subject: ${subject}\r$`, 'm'))
  assert.equal(bodyOf(message), `Hello Bob.\r\n.\r\n..\r\nfrom ${subject}\r\n${more}`)
  assert.match(message, /^Message-ID: </im)
  assert.match(message, /^Date: /m)
  return message
}

const SWAKS: readonly (readonly [string, 'submission' | 'submissions', readonly string[]])[] = [
  ['STARTTLS, AUTH PLAIN', 'submission', ['-tls', '-a', 'PLAIN']],
  ['STARTTLS, AUTH LOGIN', 'submission', ['-tls', '-a', 'LOGIN']],
  ['TLS on connect, AUTH PLAIN', 'submissions', ['-tlsc', '-a', 'PLAIN']],
  ['TLS on connect, AUTH LOGIN', 'submissions', ['-tlsc', '-a', 'LOGIN']],
  ['STARTTLS with PIPELINING', 'submission', ['-tls', '-a', 'PLAIN', '--pipeline']],
]

function swaks(port: number, args: readonly string[], password: string): Promise<Ran> {
  const { address } = alice()
  const to = [
    '--from',
    address,
    '--to',
    bob().address,
    '--server',
    '127.0.0.1',
    '--port',
    `${port}`,
  ]
  return run('swaks', [...to, '-au', address, '-ap', password, ...args])
}

for (const [name, listener, flags] of SWAKS) {
  test(`swaks submits: ${name}`, { skip: lacks('swaks') }, async () => {
    const args = [...flags, '--data', '-']
    const { address, password } = alice()
    const to = ['--from', address, '--to', bob().address, '-s', '127.0.0.1']
    const port = ['--port', `${server.port(listener)}`, '-au', address, '-ap', password]
    good(await run('swaks', [...to, ...port, ...args], { input: letter('swaks') }))
    // It writes a line end of its own before the final dot.
    const message = await arrives('swaks', '\r\n')
    assert.match(message, /\bwith ESMTPSA\b/)
  })
}

test('swaks with a wrong password, or with none, gets nowhere', {
  skip: lacks('swaks'),
}, async () => {
  for (const mechanism of ['PLAIN', 'LOGIN']) {
    const wrong = await swaks(server.port('submission'), ['-tls', '-a', mechanism], 'wrong')
    assert.equal(wrong.code, 28, wrong.text)
    assert.match(wrong.text, /<~\* 535 5\.7\.8 /)
  }
  const { address } = alice()
  const none = ['--from', address, '--to', bob().address, '-s', '127.0.0.1', '-tls']
  const port = `${server.port('submission')}`
  const unknown = await run('swaks', [...none, '--port', port])
  assert.equal(unknown.code, 23, unknown.text)
  assert.match(unknown.text, /<~\* 530 5\.7\.0 /)
  // Without TLS no mechanism is offered, so none can be used.
  const clear = await swaks(server.port('submission'), ['-a', 'PLAIN'], alice().password)
  assert.equal(clear.code, 28, clear.text)
  assert.doesNotMatch(clear.text, /AUTH[ =]PLAIN/)
})

test('swaks speaks LMTP and mail for here, and relays nothing', {
  skip: lacks('swaks'),
}, async () => {
  const local = ['-s', '127.0.0.1', '--from', 'joe@elsewhere.test', '--to', bob().address]
  for (const listener of ['smtp', 'lmtp'] as const) {
    const protocol = listener === 'lmtp' ? ['--protocol', 'LMTP'] : []
    const port = ['--port', `${server.port(listener)}`]
    good(await run('swaks', [...local, ...port, ...protocol, '--h-Subject', listener]))
    assert.match(await takeOne(server, bob()), new RegExp(`^Subject: ${listener}\r$`, 'm'))
  }
  const abroad = ['-s', '127.0.0.1', '--from', 'joe@elsewhere.test', '--to', 'x@elsewhere.test']
  const refused = await run('swaks', [...abroad, '--port', `${server.port('smtp')}`])
  assert.equal(refused.code, 24, refused.text)
  assert.match(refused.text, /<\*\* 550 5\.7\.1 /)
})

for (const mechanism of ['plain', 'login', 'scram-sha-256']) {
  test(`msmtp submits with ${mechanism}`, { skip: lacks('msmtp') }, async () => {
    for (const listener of ['submission', 'submissions'] as const) {
      const { address, password } = alice()
      const args = ['--host=localhost', `--port=${server.port(listener)}`, `--auth=${mechanism}`]
      const tls = ['--tls=on', `--tls-starttls=${listener === 'submission' ? 'on' : 'off'}`]
      const trust = [`--tls-trust-file=${server.certificate}`, `--user=${address}`]
      const secret = [`--passwordeval=printf %s ${password}`, `--from=${address}`]
      const all = [...args, ...tls, ...trust, ...secret, '--', bob().address]
      good(await run('msmtp', ['--file=/dev/null', ...all], { input: letter('msmtp') }))
      await arrives('msmtp')
    }
  })
}

// Built with GNU SASL it would choose a -PLUS form, which it cannot do, and has no other try (docs/interop.md).
test('mutt submits by SCRAM-SHA-256', {
  skip: lacks('mutt'),
}, async () => {
  const { address, password } = alice()
  const rc = join(folder, 'muttrc')
  const user = `${encodeURIComponent(address)}:${password}`
  writeFileSync(
    rc,
    `set smtp_url="smtps://${user}@localhost:${server.port('submissions')}"
set certificate_file="${server.certificate}" ssl_usesystemcerts=no
set smtp_authenticators="scram-sha-256"
set from="${address}" use_envelope_from=yes copy=no
`,
  )
  const args = ['-n', '-F', rc, '-s', 'mutt', bob().address]
  good(await run('mutt', args, { input: 'Hello Bob.\n.\n..\nfrom mutt\n' }))
  await arrives('mutt')
})

test('msmtp with a wrong password ends with EX_NOPERM', { skip: lacks('msmtp') }, async () => {
  for (const mechanism of ['plain', 'scram-sha-256']) {
    const args = ['--file=/dev/null', '--host=localhost', `--port=${server.port('submission')}`]
    const tls = ['--tls=on', `--tls-trust-file=${server.certificate}`, `--auth=${mechanism}`]
    const user = [`--user=${alice().address}`, '--passwordeval=echo wrong', '-f', alice().address]
    const ran = await run('msmtp', [...args, ...tls, ...user, bob().address], { input: 'x' })
    assert.equal(ran.code, 77, ran.text)
  }
})

function curl(url: string, args: readonly string[], input: string): Promise<Ran> {
  const { address, password } = alice()
  const trust = ['--cacert', server.certificate, '--user', `${address}:${password}`]
  const base = ['-sS', '--url', url, '--mail-from', address, ...trust, '--upload-file', '-']
  return run('curl', [...base, ...args], { input })
}

const crlf = (text: string) => text.replace(/\n/g, '\r\n')

test('curl submits by STARTTLS and by smtps, to several at once', {
  skip: lacks('curl'),
}, async () => {
  const both = ['--mail-rcpt', bob().address, '--mail-rcpt', alice().address]
  const ways: readonly (readonly [string, readonly string[]])[] = [
    [`smtp://localhost:${server.port('submission')}/client.example`, ['--ssl-reqd']],
    [`smtps://localhost:${server.port('submissions')}`, []],
    [`smtps://localhost:${server.port('submissions')}`, ['--login-options', 'AUTH=LOGIN']],
    [`smtps://localhost:${server.port('submissions')}`, ['--mail-auth', alice().address]],
    [`smtps://localhost:${server.port('submissions')}`, ['--sasl-ir']],
  ]
  for (const [url, args] of ways) {
    good(await curl(url, [...args, ...both], crlf(letter('curl'))))
    await arrives('curl')
    assert.match(await takeOne(server), /^Subject: curl\r$/m)
  }
})

test('curl goes on without the recipients that are refused', { skip: lacks('curl') }, async () => {
  const to = ['--mail-rcpt', 'nobody-here@demo.test', '--mail-rcpt', bob().address]
  const url = `smtps://localhost:${server.port('submissions')}`
  good(await curl(url, [...to, '--mail-rcpt-allowfails'], crlf(letter('some'))))
  await arrives('some')
  const strict = await curl(url, to, crlf(letter('none')))
  assert.equal(strict.code, 55, strict.text)
})

test('curl asks with VRFY, EXPN, HELP and NOOP', { skip: lacks('curl') }, async () => {
  const url = `smtp://localhost:${server.port('smtp')}`
  const ask = (...args: string[]) => run('curl', ['-sS', '-v', url, ...args])
  assert.match((await ask('--mail-rcpt', bob().address)).text, /< 252 /)
  assert.match((await ask('--request', 'EXPN', '--mail-rcpt', 'all')).text, /< 252 /)
  assert.match((await ask('--request', 'HELP')).text, /< 214 /)
  assert.match((await ask('--request', 'NOOP')).text, /< 250 /)
})

test('Python smtplib: 8BITMIME, SMTPUTF8, RSET, VRFY, many on one connection', {
  skip: lacks('python3'),
}, async () => {
  const script = fileURLToPath(new URL('smtplib-session.py', import.meta.url))
  const { address, password } = alice()
  const ports = [`${server.port('submission')}`, `${server.port('submissions')}`]
  const args = [script, ...ports, server.certificate, address, password, bob().address]
  good(await run('python3', args))
  const messages = (await take(server, 6, bob())).map(m => m.toString('utf8')).sort(bySubject)
  assert.equal(messages.length, 6)
  const [eight, utf8, , , , signed] = messages as [string, string, string, string, string, string]
  assert.match(eight, /Grüße aus Köln/)
  assert.match(utf8, /^Subject: b Grüße\r$/m)
  assert.match(utf8, /\bwith UTF8SMTPSA\b/)
  assert.match(signed, /^Subject: f multipart/m)
})

function bySubject(a: string, b: string): number {
  const of = (text: string) => /^Subject: (.*)$/m.exec(text)?.[1] ?? ''
  return of(a) < of(b) ? -1 : 1
}

test("Postfix's smtp-source sends by SMTP and by LMTP, in many sessions", {
  skip: lacks('smtp-source'),
}, async () => {
  for (const [listener, flag] of [
    ['smtp', []],
    ['smtp', ['-d']],
    ['lmtp', ['-L']],
  ] as const) {
    const at = `127.0.0.1:${server.port(listener)}`
    const load = ['-s', '8', '-m', '40', '-l', '3000', ...flag]
    const ran = await run('smtp-source', [...load, '-f', 'x@y.test', '-t', bob().address, at])
    good(ran)
    const messages = await take(server, 40, bob())
    assert.equal(messages.length, 40)
    for (const message of messages) assert.ok(message.length > 3000)
  }
})

test('s-nail submits by STARTTLS and by smtps, with an attachment', {
  skip: lacks('s-nail'),
}, async () => {
  const file = join(folder, 'notes.bin')
  writeFileSync(file, Buffer.from([...Array(256).keys()]))
  const { address, password } = alice()
  const user = `${encodeURIComponent(address)}:${encodeURIComponent(password)}`
  for (const [scheme, listener, extra] of [
    ['smtp', 'submission', ['-S', 'smtp-use-starttls']],
    ['smtps', 'submissions', []],
  ] as const) {
    const mta = `mta=${scheme}://${user}@localhost:${server.port(listener)}`
    const tls = ['-S', `tls-ca-file=${server.certificate}`, '-S', 'tls-verify=strict', ...extra]
    const settings = ['-S', 'v15-compat=yes', '-S', mta, ...tls, '-S', `from=${address}`]
    const args = ['-n', ...settings, '-s', 's-nail', '-a', file, '-.', bob().address]
    good(await run('s-nail', args, { input: 'Grüße\n', env: { LC_ALL: 'C.UTF-8' } }))
    const message = await takeOne(server, bob())
    assert.match(message, /^Subject: s-nail\r$/m)
    assert.match(message, /notes\.bin/)
  }
})

/** Our command where anybody may read it: a checkout may lie in somebody's home. */
async function readableCommand(): Promise<string> {
  const from = fileURLToPath(new URL('../..', import.meta.url))
  const file = join(from, 'bin/postrider')
  const here = await run({ file: 'sh' }, ['-c', `test -r '${file}'`], { uid: NOBODY, cwd: '/' })
  if (here.code === 0) return file
  const tree = newFolder('tree')
  chmodSync(tree, 0o755)
  for (const part of ['bin', 'src', 'package.json', 'node_modules']) {
    const heavy = /node_modules.(?:@biomejs|@oxlint|@oxlint-tsgolint|@typescript|typescript)\b/
    cpSync(join(from, part), join(tree, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: path => !heavy.test(path),
    })
  }
  return join(tree, 'bin/postrider')
}

test('sendmail serves a user without rights, and says EX_TEMPFAIL where no server is', {
  skip: lacks('root'),
}, async () => {
  const command = await readableCommand()
  chmodSync(server.data, 0o755)
  const env = { POSTRIDER_DATA: server.data, HOME: '/nonexistent' }
  const sendmail = (args: readonly string[], input: string, more = {}) =>
    run({ file: command }, ['sendmail', ...args], {
      input,
      env: { ...env, ...more },
      uid: NOBODY,
      cwd: '/',
    })
  good(await sendmail(['-i', '-f', alice().address, bob().address], letter('sendmail')))
  await arrives('sendmail')
  good(await sendmail(['-t', '-oi'], letter('by header')))
  await arrives('by header')
  // Without -i a line of one dot ends the message, as it always has.
  good(await sendmail([bob().address], letter('to the dot')))
  assert.equal(bodyOf(await takeOne(server, bob())), 'Hello Bob.\r\n')
  const unknown = await sendmail(['-i', 'nobody-here@demo.test'], letter('lost'))
  assert.equal(unknown.code, 67, unknown.text)
  const down = await sendmail(['-i', bob().address], 'x', { POSTRIDER_DATA: '/nonexistent' })
  assert.equal(down.code, 75, down.text)
  assert.equal((await takeAll(server, bob())).length, 0)
})
