/**
 * Programs of this machine that hand their mail to `sendmail`, and one that reads `mailq`: ours stands in
 * /usr/sbin/sendmail for each of them, in a mount namespace of its own. All write names without a domain where they can.
 */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { clear, newFolder, POSTRIDER, type Server, startServer } from '../kit/server.ts'
import { bodyOf, take, takeAll, takeOne } from './mailbox.ts'
import { find, lacks, type ProgramName, type Ran, run } from './program.ts'

let server: Server
const folder = newFolder('local')
const at = (name: string) => join(folder, name)

before(async () => {
  // Nobody listens there: what is for elsewhere waits.
  server = await startServer({ smarthost: '127.0.0.1:9' })
  for (const name of ['sendmail', 'mailq']) symlinkSync(POSTRIDER, at(name))
  const set = `POSTRIDER_DATA='${server.data}' POSTRIDER_ORIGIN=demo.test`
  writeFileSync(at('ours'), `#!/bin/sh\nexec env ${set} '${folder}'/"\${0##*/}" "$@"\n`)
  chmodSync(at('ours'), 0o755)
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})
beforeEach(async () => {
  await takeAll(server, server.account(1))
})

const good = (ran: Ran) => assert.equal(ran.code, 0, ran.text)

/** Runs a program that finds ours where it has sendmail built in. */
function here(argv: readonly string[], input = '', cwd = folder): Promise<Ran> {
  const bound = `mount --bind '${at('ours')}' /usr/sbin/sendmail && exec "$@"`
  return run({ file: '/usr/bin/unshare' }, ['-m', '/bin/sh', '-c', bound, 'sh', ...argv], {
    input,
    cwd,
    env: { LC_ALL: 'C.UTF-8', HOME: folder, EMAIL: 'alice@demo.test' },
  })
}

const PHP = `exit(mail("bob", "from a program", "Grüße\\n.\\nbye\\n", ["From" => "webmaster (The site)", "Cc" => "nobody-at-all <bob@demo.test>"]) ? 0 : 1);`
const CRON = `From: root (Cron Daemon)
To: bob
Subject: from a program
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Grüße
.
bye
`

/** Each with what it needs, how it is called, what it is given, and whom the letter is from. */
const PROGRAMS: readonly (readonly [string, ProgramName, readonly string[], string, RegExp])[] = [
  [
    "Debian's cron",
    'postfix',
    ['/usr/sbin/sendmail', '-i', '-FCronDaemon', '-B8BITMIME', '-oem', 'bob'],
    CRON,
    /^From: Cron Daemon <root@demo\.test>\r$/m,
  ],
  [
    'bsd-mailx',
    'bsd-mailx',
    ['bsd-mailx', '-s', 'from a program', '-c', 'alice', 'bob'],
    'Grüße\n.\nbye\n',
    /^From: .*root@demo\.test>?\r$/m,
  ],
  [
    'mutt -H',
    'mutt',
    ['mutt', '-n', '-F', '/dev/null', '-e', 'set send_charset=utf-8', '-H', '-'],
    'From: alice@demo.test\nTo: bob@demo.test\nSubject: from a program\n\nGrüße\n.\nbye\n',
    /^From: .*alice@demo\.test>?\r$/m,
  ],
  ['PHP mail()', 'php', ['php', '-r', PHP], '', /^From: The site <webmaster@demo\.test>\r$/m],
]

for (const [name, needs, argv, input, from] of PROGRAMS) {
  test(`${name} sends by sendmail`, { skip: lacks(needs, 'postfix', 'root') }, async () => {
    good(await here(argv, input))
    const message = await takeOne(server, server.account(1))
    assert.match(message, /^Subject: from a program\r$/m)
    assert.match(message, from)
    assert.doesNotMatch(message, /^(?:To|Cc): (?:[^@\r]*,)?[^@\r]*\r$/m, 'a name without a domain')
    const body = Buffer.from(bodyOf(message), 'latin1').toString()
    assert.match(body, /^(?:Grüße|Gr=C3=BC=C3=9Fe)\r\n\.\r\nbye\r\n/)
  })
}

test('git send-email sends a series by sendmail and by smtp', {
  skip: lacks('git send-email', 'postfix', 'root'),
}, async () => {
  const repository = at('repository')
  mkdirSync(repository)
  const git = async (...args: string[]) => good(await here(['git', ...args], '', repository))
  await git('init', '-q')
  await git('config', 'user.name', 'Al')
  await git('config', 'user.email', 'alice@demo.test')
  for (const subject of ['first', 'second ü']) {
    writeFileSync(join(repository, 'file'), subject)
    await git('add', 'file')
    await git('commit', '-qm', subject)
  }
  await git('format-patch', '-q', '--root', '-o', 'patches')
  const { address, password } = server.account(0)
  const smtp = [
    ...['--smtp-server=localhost', `--smtp-server-port=${server.port('submission')}`],
    ...['--smtp-encryption=tls', `--smtp-ssl-cert-path=${server.certificate}`],
    ...[`--smtp-user=${address}`, `--smtp-pass=${password}`],
  ]
  for (const way of [[], smtp]) {
    await git('send-email', '--quiet', '--confirm=never', '--to=bob@demo.test', ...way, 'patches')
    const messages = await take(server, 2, server.account(1))
    const subjects = messages.map(text => /^Subject: (.*)\r$/m.exec(text.toString())?.[1])
    const wanted = ['[PATCH 1/2] first', '[PATCH 2/2] =?UTF-8?q?second=20=C3=BC?=']
    assert.deepEqual(new Set(subjects), new Set(wanted))
  }
})

test('check_mailq of Nagios counts what waits', {
  skip: lacks('check_mailq', 'postfix', 'root'),
}, async () => {
  const check = () => here([find('check_mailq') ?? '', '-M', 'postfix', '-w', '1', '-c', '3'])
  const empty = await check()
  assert.match(empty.text, /^OK: .*queue is empty/)
  const letter = 'Subject: waits\n\nx\n'
  for (const name of ['joe', 'ann'])
    good(await here(['/usr/sbin/sendmail', `${name}@nowhere.invalid`], letter))
  const two = await check()
  assert.match(two.text, /^WARNING: .*mailq is 2 /)
})
