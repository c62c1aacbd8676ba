/**
 * Programs with dialogues of their own: InterIMAP mirrors one account of ours to another by QRESYNC, UIDPLUS and
 * COMPRESS, and esmtp (libesmtp) hands a message in by chunks of BDAT.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { post } from './letter.ts'
import { takeAll, takeOne } from './mailbox.ts'
import { lacks, type Ran, run, until } from './program.ts'

let server: Server

before(async () => {
  server = await startServer()
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

const alice = () => server.account(0)
const bob = () => server.account(1)

/** A home with a file that only its owner may read. */
function homeWith(name: string, text: string): { readonly home: string; readonly file: string } {
  const home = newFolder('mirror')
  const file = join(home, name)
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
  writeFileSync(file, text, { mode: 0o600 })
  return { home, file }
}

function good(ran: Ran): void {
  assert.equal(ran.code, 0, ran.text)
}

async function curl(account: { address: string; password: string }, path: string, command: string) {
  const url = `imaps://localhost:${server.port('imaps')}/${path}`
  const login = `${account.address}:${account.password}`
  const ran = await run('curl', [
    '-sS',
    '-u',
    login,
    '--cacert',
    server.certificate,
    url,
    '-X',
    command,
  ])
  good(ran)
  return ran.text
}

test('InterIMAP keeps two accounts alike: new, flagged, gone; then there is nothing to do', {
  skip: lacks('interimap', 'curl'),
}, async () => {
  const side = (account: { address: string; password: string }, way: string) =>
    `host = localhost\nusername = ${account.address}\npassword = ${account.password}\nSSL_CAfile = ${server.certificate}\n${way}`
  const config = `database = mirror.db
[local]
type = imaps
port = ${server.port('imaps')}
${side(alice(), 'compress = YES')}
[remote]
type = imap
STARTTLS = YES
port = ${server.port('imap')}
${side(bob(), 'compress = YES')}
`
  const { home } = homeWith('config/interimap/config', config)
  mkdirSync(join(home, 'data/interimap'), { recursive: true, mode: 0o700 })
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
  }
  const mirror = async () => {
    const ran = await run('interimap', [], { env, cwd: home })
    good(ran)
    assert.doesNotMatch(ran.text, /WARNING|ERROR|BAD/)
    return ran.text.split('\n').filter(line => /^(?:local|remote)\(/.test(line))
  }
  for (const subject of ['one', 'two', 'three']) {
    await post(server, {
      to: [alice().address],
      content: `From: ${alice().address}\r\nSubject: ${subject}\r\n\r\nx\r\n`,
    })
  }
  await arrived(3)
  assert.match((await mirror()).join('\n'), /^remote\(INBOX\): Added 3 UID/m)
  await mirror()
  assert.deepEqual(await mirror(), [])
  await curl(alice(), 'INBOX', 'STORE 1 +FLAGS (\\Flagged $Forwarded)')
  await curl(bob(), 'INBOX', 'STORE 3 +FLAGS.SILENT (\\Deleted)')
  await curl(bob(), 'INBOX', 'EXPUNGE')
  await mirror()
  assert.match(await curl(bob(), 'INBOX', 'SEARCH KEYWORD $Forwarded FLAGGED'), /SEARCH 1\r/)
  assert.match(await curl(alice(), '', 'STATUS INBOX (MESSAGES)'), /MESSAGES 2\)/)
  await mirror()
  assert.deepEqual(await mirror(), [])
  const subjects = (messages: readonly Buffer[]) =>
    messages.map(message => /^Subject: (.*)\r$/m.exec(message.toString())?.[1])
  assert.deepEqual(subjects(await takeAll(server, alice())), ['one', 'two'])
  assert.deepEqual(subjects(await takeAll(server, bob())), ['one', 'two'])
})

/** Waits for so many messages in the first account. */
function arrived(count: number): Promise<true> {
  return until(`${count} messages`, async () => {
    const status = await curl(alice(), '', 'STATUS INBOX (MESSAGES)')
    return status.includes(`MESSAGES ${count})`) ? true : undefined
  })
}

test('esmtp hands a message in by chunks, under STARTTLS and logged in', {
  skip: lacks('esmtp'),
}, async () => {
  const config = `hostname = localhost:${server.port('submission')}\nusername = ${alice().address}\npassword = "${alice().password}"\nstarttls = required\n`
  const { home, file } = homeWith('esmtprc', config)
  mkdirSync(join(home, '.config/libesmtp'), { recursive: true, mode: 0o700 })
  writeFileSync(join(home, '.config/libesmtp/ca.pem'), readFileSync(server.certificate), {
    mode: 0o600,
  })
  // Under TLS 1.3 it may take a session ticket for an answer, and forgets that it has yet to speak.
  const tls = join(home, 'openssl.cnf')
  writeFileSync(
    tls,
    'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n',
  )
  const input = `From: ${alice().address}\nTo: ${bob().address}\nSubject: chunks\n\n.\n..\nEnd\n`
  const flags = ['-C', file, '-f', alice().address, bob().address]
  good(
    await run('esmtp', flags, {
      env: { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), OPENSSL_CONF: tls },
      input,
    }),
  )
  const message = await takeOne(server, bob())
  assert.match(message, /^Subject: chunks\r$/m)
  assert.ok(message.endsWith('\r\n\r\n.\r\n..\r\nEnd\r\n'), message)
})
