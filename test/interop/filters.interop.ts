/**
 * Programs that mail goes through: procmail and maildrop behind a pipe, with their answers; and a filter that takes
 * mail by SMTP and hands it on by SMTP (proxsmtp), from which it comes back once. And small relays of other machines.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { becomes, post } from './letter.ts'
import { take, takeOne } from './mailbox.ts'
import { find, lacks, type Ran, run, until } from './program.ts'
import { accepts, freePort } from './sink.ts'

const NOBODY = 65_534
const root = process.getuid?.() === 0
const folder = newFolder('filters')
const at = (name: string) => join(folder, name)
let filterPort = 0
let server: Server
let filter: ChildProcess | undefined

const PROCMAIL = `:0
* ^Subject: work
work/
:0
* ^Subject: nobody
{
 EXITCODE=67
 HOST
}
:0
* ^Subject: later
{
 EXITCODE=75
 HOST
}
`

const MAILDROP = `if (/^Subject: work/)
{
 to "BOX/drop"
}
if (/^Subject: nobody/)
{
 EXITCODE=67
 exit
}
EXITCODE=75
exit
`

/** A file of the user that the programs run as, for him alone. */
function own(name: string, text: string): string {
  writeFileSync(at(name), text, { mode: 0o600 })
  if (root) chownSync(at(name), NOBODY, NOBODY)
  return at(name)
}

before(async () => {
  filterPort = await freePort()
  chmodSync(folder, 0o755)
  mkdirSync(at('box'))
  if (root) chownSync(at('box'), NOBODY, NOBODY)
  const rules = own('procmailrc', `MAILDIR=${at('box')}\n${PROCMAIL}`)
  const script = own('mailfilter', MAILDROP.replaceAll('BOX', at('box')))
  const pipe = (...argv: string[]) => ({
    pipe: { argv, user: 'nobody', fromLine: true, final: true },
  })
  const mailbox = { HOME: at('box'), LOGNAME: 'nobody' }
  const maildrop = {
    ...pipe('/usr/bin/maildrop', '-f', '{sender}', script).pipe,
    environment: mailbox,
  }
  const hop = { host: '127.0.0.1', port: filterPort, tls: 'never', without: ['CHUNKING'] }
  server = await startServer({
    set: {
      'outbound.hops': JSON.stringify({ filter: hop }),
      routes: JSON.stringify([
        { match: { recipient: '@proc.test' }, to: pipe('/usr/bin/procmail', '-m', rules) },
        { match: { recipient: '@drop.test' }, to: { pipe: maildrop } },
        {
          match: { recipient: 'bob+filtered@demo.test', source: 'submission' },
          to: { hop: 'filter' },
        },
      ]),
      'log.level': 'debug',
    },
  })
})
after(async () => {
  filter?.kill('SIGKILL')
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

for (const [name, domain, kept] of [
  [
    'procmail',
    'proc.test',
    () => readdirSync(at('box/work/new')).map(file => `box/work/new/${file}`),
  ],
  ['maildrop', 'drop.test', () => ['box/drop']],
] as const) {
  test(`${name} keeps mail, sends it back and asks for it later`, {
    skip: lacks(name, 'root'),
  }, async () => {
    const to = `joe@${domain}`
    const send = (subject: string) =>
      post(server, {
        to: [to],
        content: `From: alice@demo.test\r\nSubject: ${subject}\r\n\r\nFrom here\r\n.\r\n`,
      })
    await becomes(server, await send('work'), to, 'delivered')
    assert.equal((await becomes(server, await send('nobody'), to, 'failed')).status, '5.1.1')
    assert.equal((await becomes(server, await send('later'), to, 'queued')).status, '4.3.0')
    const [file = ''] = kept()
    const text = readFileSync(at(file), 'utf8')
    assert.match(text, /^Return-Path: <alice@demo\.test>\nDelivered-To: joe@/m)
    assert.match(text, /^>?From here\n\.\n/m)
  })
}

test('what a filter hands back by SMTP has been through it once, large or small', {
  skip: lacks('proxsmtpd', 'root'),
}, async () => {
  writeFileSync(at('mark'), "#!/bin/sh\nprintf 'X-Filtered: yes\\r\\n'\nexec cat\n")
  chmodSync(at('mark'), 0o755)
  const back = `OutAddress: 127.0.0.1:${server.port('smtp')}`
  const config = `${back}\nListen: 127.0.0.1:${filterPort}\nFilterType: pipe\nFilterCommand: ${at('mark')}\nUser: nobody\n`
  writeFileSync(at('proxsmtpd.conf'), config)
  filter = spawn(find('proxsmtpd') ?? '', ['-f', at('proxsmtpd.conf'), '-d', '1'], {
    stdio: 'ignore',
  })
  await until('proxsmtpd', () => accepts(filterPort))
  for (const octets of [80, 900_000]) {
    const lines = `${'x'.repeat(78)}\r\n`.repeat(Math.ceil(octets / 80))
    const content = `From: alice@demo.test\r\nSubject: of ${octets}\r\n\r\n${lines}`
    await post(server, { to: ['bob+filtered@demo.test'], content })
    const [message] = await take(server, 1, server.account(1))
    const header = (message ?? Buffer.alloc(0)).toString('latin1', 0, 2_000)
    assert.match(header, new RegExp(`^Subject: of ${octets}\\r$`, 'm'))
    assert.equal(header.match(/^X-Filtered: yes\r$/gm)?.length, 1)
    assert.equal(header.match(/^Received: /gm)?.length, 2)
    assert.ok((message?.length ?? 0) > octets)
  }
})

const LETTER = 'From: alice@demo.test\nTo: bob@demo.test\nSubject: relayed\n\n.\n..\nHello\n'

async function arrives(ran: Ran, how: RegExp): Promise<void> {
  assert.equal(ran.code, 0, ran.text)
  const message = await takeOne(server, server.account(1))
  assert.match(message, /^Subject: relayed\r$/m)
  assert.match(message, how)
  assert.ok(message.endsWith('\r\n\r\n.\r\n..\r\nHello\r\n'), message)
}

test('nullmailer submits by STARTTLS and under TLS', {
  skip: lacks('nullmailer smtp'),
}, async () => {
  const { address, password } = server.account(0)
  const file = own('nullmailer', `${address}\n${server.account(1).address}\n\n${LETTER}`)
  for (const [listener, tls] of [
    ['submission', 'starttls'],
    ['submissions', 'ssl'],
  ] as const) {
    const options = [
      ...['host=localhost', `port=${server.port(listener)}`, tls],
      ...[`user=${address}`, `pass=${password}`, `x509cafile=${server.certificate}`],
    ]
    const command = `exec '${find('nullmailer smtp')}' 3<'${file}'`
    const input = `${options.join('\n')}\n\n`
    const ran = await run({ file: '/bin/sh' }, ['-c', command], {
      input,
      env: { HELOHOST: 'c.test' },
    })
    await arrives(ran, /\bwith ESMTPSA\b/)
  }
})

test('ssmtp submits by STARTTLS and under TLS', { skip: lacks('ssmtp') }, async () => {
  const { address, password } = server.account(0)
  for (const [listener, startTls] of [
    ['submission', 'YES'],
    ['submissions', 'NO'],
  ] as const) {
    const lines = [
      ...[`mailhub=localhost:${server.port(listener)}`, `UseSTARTTLS=${startTls}`, 'UseTLS=YES'],
      ...[`AuthUser=${address}`, `AuthPass=${password}`, 'FromLineOverride=YES', 'hostname=c.test'],
    ]
    writeFileSync(at('ssmtp.conf'), `${lines.join('\n')}\n`)
    await arrives(
      await run('ssmtp', [`-C${at('ssmtp.conf')}`, '-t'], { input: LETTER }),
      /\bESMTPSA\b/,
    )
  }
})
