/**
 * Mail read by other people's POP3 clients, each octet compared with what the mailbox holds: curl,
 * fetchmail, getmail, mpop, Python's poplib, node-pop3.
 */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import Pop3Command from 'node-pop3'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { post } from './letter.ts'
import { take, takeAll } from './mailbox.ts'
import { lacks, type Ran, run, until } from './program.ts'

const NOBODY = 65534
let server: Server
/** What is in the mailbox before each test. */
let kept: Buffer[]

const BODIES = [
  'Hello\r\n',
  '.\r\n..\r\n...\r\n.dots first\r\nlast.\r\n',
  'From here on\r\n>From there\r\n\r\n\r\n',
  `${'long '.repeat(190)}\r\n`,
  `${'Line after line.\r\n'.repeat(8_000)}`,
]

before(async () => {
  server = await startServer()
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

beforeEach(async () => {
  await takeAll(server, server.account(0))
  await fill()
  kept = await take(server, BODIES.length)
  // Taken out to be known; the same letters are put in again, and differ in their trace alone.
  await fill()
  await until('the mailbox is full', async () => {
    const pop = await server.pop3()
    const stat = await pop.ask('STAT')
    pop.end()
    return stat.startsWith(`+OK ${BODIES.length} `) ? true : undefined
  })
})

async function fill(): Promise<void> {
  const to = server.account(0).address
  for (const [i, body] of BODIES.entries()) {
    const header = `From: ${to}\r\nTo: ${to}\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n`
    const content = `${header}Message-ID: <${i}@letters.test>\r\nSubject: letter ${i}\r\n\r\n${body}`
    await post(server, { to: [to], content })
  }
}

/** A message without what differs from one delivery to the next: ids and times of Received. */
function sameWay(message: string): string {
  return message.replace(/^Received: .*\r\n(?:\t.*\r\n)*/m, 'Received: ours\r\n')
}

/** The mailbox was read whole, octet for octet, whatever the order. */
function readWhole(messages: readonly string[]): void {
  const expected = kept.map(m => sameWay(m.toString('latin1'))).sort()
  assert.deepEqual(messages.map(sameWay).sort(), expected)
}

async function emptied(): Promise<void> {
  assert.equal((await takeAll(server, server.account(0))).length, 0)
}

const crlf = (octets: Buffer) => octets.toString('latin1').replace(/\r?\n/g, '\r\n')
const good = (ran: Ran) => assert.equal(ran.code, 0, ran.text)
const user = () => server.account(0).address
const password = () => server.account(0).password

for (const [scheme, flags] of [
  ['pop3', ['--ssl-reqd']],
  ['pop3s', []],
  ['pop3s', ['--login-options', 'AUTH=PLAIN']],
  ['pop3s', ['--login-options', 'AUTH=LOGIN']],
] as const) {
  test(`curl reads by ${scheme} ${flags.join(' ')}`, { skip: lacks('curl') }, async () => {
    const url = `${scheme}://localhost:${server.port(scheme)}`
    const login = ['-sS', '--cacert', server.certificate, '-u', `${user()}:${password()}`, ...flags]
    const list = await run('curl', [...login, `${url}/`])
    good(list)
    const sizes = list.text
      .trim()
      .split(/\r?\n/)
      .map(line => Number(line.split(' ')[1]))
    assert.equal(sizes.length, BODIES.length)
    const messages: string[] = []
    for (const [i, size] of sizes.entries()) {
      const ran = await run('curl', [...login, `${url}/${i + 1}`])
      good(ran)
      assert.equal(ran.stdout.length, size, 'LIST told the size')
      messages.push(ran.stdout.toString('latin1'))
    }
    readWhole(messages)
    const uidl = await run('curl', [...login, '-X', 'UIDL', `${url}/`])
    assert.equal(new Set(uidl.text.trim().split(/\r?\n/)).size, BODIES.length)
    const top = await run('curl', [...login, '-X', 'TOP 1 0', `${url}/`])
    assert.match(top.text, /^Subject: letter 0\r$/m)
    for (let i = 1; i <= BODIES.length; i++)
      good(await run('curl', [...login, '-l', '-X', 'DELE', `${url}/1`]))
    await emptied()
  })
}

test('curl is refused with a wrong password, and in the clear', {
  skip: lacks('curl'),
}, async () => {
  const at = (scheme: 'pop3' | 'pop3s') => `${scheme}://localhost:${server.port(scheme)}/`
  const wrong = await run('curl', ['-sS', '-k', '-u', `${user()}:wrong`, at('pop3s')])
  assert.equal(wrong.code, 67, wrong.text)
  const clear = await run('curl', ['-sS', '-u', `${user()}:${password()}`, at('pop3')])
  assert.notEqual(clear.code, 0, clear.text)
  assert.equal((await takeAll(server, server.account(0))).length, BODIES.length)
})

/** A folder for a program that runs as another user. */
function folderOf(uid: number): string {
  const folder = newFolder('client')
  chmodSync(folder, 0o700)
  if (process.getuid?.() === 0) chownSync(folder, uid, uid)
  return folder
}

/** A file of that user, for him alone. */
function fileOf(folder: string, name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  if (process.getuid?.() === 0) chownSync(file, NOBODY, NOBODY)
  return file
}

/** The files of a folder, line ends as CRLF. */
function filesOf(folder: string): string[] {
  return readdirSync(folder).map(name => crlf(readFileSync(join(folder, name))))
}

/** An empty Maildir of that user. */
function maildir(folder: string): string {
  const box = join(folder, 'box')
  for (const name of ['', 'cur', 'new', 'tmp']) {
    mkdirSync(join(box, name))
    if (process.getuid?.() === 0) chownSync(join(box, name), NOBODY, NOBODY)
  }
  return box
}

const asNobody = process.getuid?.() === 0 ? { uid: NOBODY } : {}

for (const listener of ['pop3', 'pop3s'] as const) {
  test(`fetchmail takes all mail by ${listener}`, { skip: lacks('fetchmail') }, async () => {
    const folder = folderOf(NOBODY)
    mkdirSync(join(folder, 'in'))
    const ca = fileOf(folder, 'ca.pem', readFileSync(server.certificate, 'utf8'))
    if (process.getuid?.() === 0) chownSync(join(folder, 'in'), NOBODY, NOBODY)
    const tls = `sslcertck sslcertfile "${ca}" ${listener === 'pop3s' ? 'ssl' : 'sslproto "TLS1.2+"'}`
    const mda = `mda "cat > ${folder}/in/$$"`
    const server_ = `poll localhost protocol pop3 port ${server.port(listener)} uidl no dns`
    const rc = `set no syslog\n${server_}\n user "${user()}" password "${password()}" ${tls} no rewrite no mimedecode nostripcr fetchall ${mda}\n`
    const file = fileOf(folder, 'rc', rc)
    const ran = await run(
      'fetchmail',
      [
        '-f',
        file,
        '-i',
        join(folder, 'ids'),
        '--pidfile',
        join(folder, 'pid'),
        '--nosyslog',
        '--invisible',
      ],
      { ...asNobody, env: { HOME: folder, FETCHMAILHOME: folder }, cwd: '/' },
    )
    good(ran)
    readWhole(filesOf(join(folder, 'in')))
    await emptied()
  })

  test(`mpop takes all mail by ${listener}`, { skip: lacks('mpop') }, async () => {
    const folder = folderOf(NOBODY)
    const box = maildir(folder)
    for (const method of ['user', 'plain', 'login', 'scram-sha-256']) {
      if (method !== 'user') await fill()
      const args = ['--host=localhost', `--port=${server.port(listener)}`, '--file=/dev/null']
      const tls = ['--tls=on', `--tls-starttls=${listener === 'pop3' ? 'on' : 'off'}`]
      const login = [
        `--user=${user()}`,
        `--passwordeval=printf %s ${password()}`,
        `--auth=${method}`,
      ]
      const rest = [
        `--tls-trust-file=${server.certificate}`,
        '--keep=off',
        `--uidls-file=${folder}/uidls`,
      ]
      const to = `--delivery=maildir,${box}`
      const ran = await run('mpop', [
        ...args,
        ...tls,
        ...login,
        ...rest,
        '--received-header=off',
        to,
      ])
      good(ran)
      const inbox = join(box, 'new')
      const names = readdirSync(inbox)
      assert.equal(names.length, BODIES.length, `${method}: ${ran.text}`)
      readWhole(filesOf(inbox))
      await run(
        { file: 'rm' },
        names.map(name => join(inbox, name)),
      )
      await emptied()
    }
  })
}

test('getmail takes all mail by pop3s, and is sent away in the clear', {
  skip: lacks('getmail'),
}, async () => {
  const folder = folderOf(NOBODY)
  const box = maildir(folder)
  const ca = fileOf(folder, 'ca.pem', readFileSync(server.certificate, 'utf8'))
  const login = `server = localhost\nusername = ${user()}\npassword = ${password()}\n`
  const rest = `[destination]\ntype = Maildir\npath = ${box}/\n[options]\ndelete = true\ndelivered_to = false\nreceived = false\n`
  const getmail = (rc: string) =>
    run('getmail', ['--getmaildir', folder, '--rcfile', fileOf(folder, 'getmailrc', rc)], {
      ...asNobody,
      env: { HOME: folder },
      cwd: '/',
    })
  // It knows no STLS.
  const clear = `[retriever]\ntype = SimplePOP3Retriever\nport = ${server.port('pop3')}\n${login}`
  const refused = await getmail(clear + rest)
  assert.match(refused.text, /passwords are taken under TLS only/)
  const tls = `[retriever]\ntype = SimplePOP3SSLRetriever\nport = ${server.port('pop3s')}\nca_certs = ${ca}\n${login}`
  good(await getmail(tls + rest))
  readWhole(filesOf(join(box, 'new')))
  await emptied()
})

const POPLIB = `
import poplib, ssl, sys
way, port, ca, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if way == "pop3":
    pop = poplib.POP3("localhost", int(port))
    assert "STLS" in pop.capa()
    pop.stls(context)
else:
    pop = poplib.POP3_SSL("localhost", int(port), context=context)
for name in ("TOP", "UIDL", "USER", "RESP-CODES", "PIPELINING"):
    assert name in pop.capa(), name
pop.user(user)
pop.pass_(password)
count, size = pop.stat()
assert len(pop.list()[1]) == count == len(pop.uidl()[1])
assert sum(int(line.split()[1]) for line in pop.list()[1]) == size
for number in range(1, count + 1):
    response, lines, octets = pop.retr(number)
    head = pop.top(number, 0)[1]
    assert lines[:len(head)] == head
    sys.stdout.buffer.write(b"\\r\\n".join(lines) + b"\\r\\n\\0")
    pop.dele(number)
pop.rset()
assert pop.stat() == (count, size)
assert pop.noop()
for number in range(1, count + 1):
    pop.dele(number)
pop.quit()
`

test("Python's poplib reads by STLS and by TLS", { skip: lacks('python3') }, async () => {
  for (const listener of ['pop3', 'pop3s'] as const) {
    const args = [listener, `${server.port(listener)}`, server.certificate, user(), password()]
    const ran = await run('python3', ['-c', POPLIB, ...args])
    good(ran)
    readWhole(ran.stdout.toString('latin1').split('\0').slice(0, -1))
    await emptied()
    await fill()
    await until('mail', async () =>
      (await server.mail()).length === BODIES.length ? true : undefined,
    )
  }
})

test('node-pop3 reads, lists and removes', async () => {
  const options = { host: 'localhost', port: server.port('pop3s'), tls: true }
  const tlsOptions = { ca: readFileSync(server.certificate) }
  const pop = new Pop3Command({ ...options, tlsOptions, user: user(), password: password() })
  const list = (await pop.UIDL()) as string[][]
  assert.equal(list.length, BODIES.length)
  const messages: string[] = []
  for (const [number] of list) messages.push((await pop.RETR(Number(number))) as string)
  // It leaves stuffed dots as they are, and takes line ends at the end away.
  const ends = (text: string) => text.replace(/(?:\r\n)+$/, '')
  assert.deepEqual(
    messages.map(text => sameWay(ends(text.replace(/^\.\./gm, '.')))),
    kept.map(octets => sameWay(ends(octets.toString('latin1')))),
  )
  for (const [number] of list) await pop.command('DELE', Number(number))
  await pop.QUIT()
  await emptied()
})
