/** Mail read by other people's IMAP clients: curl, Python's imaplib, fetchmail, mbsync. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { post } from './letter.ts'
import { takeAll } from './mailbox.ts'
import { lacks, type Ran, run } from './program.ts'

let server: Server

before(async () => {
  server = await startServer()
})
after(async () => {
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})

const good = (ran: Ran) => assert.equal(ran.code, 0, ran.text)
const user = () => server.account(0).address
const password = () => server.account(0).password

/** INBOX holds three letters and no others. */
async function filled(): Promise<void> {
  await takeAll(server, server.account(0))
  for (let n = 0; n < 3; n++) {
    const content = `From: ${user()}\r\nTo: ${user()}\r\nSubject: letter ${n}\r\n\r\nHello\r\n`
    await post(server, { to: [user()], content })
  }
}

test('imaplib lives a whole life', { skip: lacks('python3') }, async () => {
  await filled()
  const ran = await run('python3', [
    join(import.meta.dirname, 'imaplib-session.py'),
    String(server.port('imaps')),
    String(server.port('imap')),
    server.certificate,
    user(),
    password(),
  ])
  good(ran)
  assert.match(ran.text, /all was as it should be/)
})

test('Python speaks under DEFLATE', { skip: lacks('python3') }, async () => {
  await filled()
  const script = join(import.meta.dirname, 'imap-deflate.py')
  const port = String(server.port('imaps'))
  const ran = await run('python3', [script, port, server.certificate, user(), password()])
  good(ran)
  assert.match(ran.text, /all was as it should be/)
})

test('curl lists, reads, searches and appends', { skip: lacks('curl') }, async () => {
  await filled()
  const login = ['-sS', '--cacert', server.certificate, '-u', `${user()}:${password()}`]
  const url = `imaps://localhost:${server.port('imaps')}`
  const asked = async (...words: string[]) => {
    const ran = await run('curl', [...login, ...words])
    good(ran)
    return ran.text
  }
  assert.match(await asked(`${url}/`), /"INBOX"/)
  assert.match(await asked(`${url}/INBOX;MAILINDEX=2`), /^Subject: letter 1\r$/m)
  assert.match(await asked(`${url}/INBOX;MAILINDEX=3;SECTION=TEXT`), /^Hello\r$/m)
  assert.match(await asked(`${url}/INBOX?SUBJECT%20%22letter%202%22`), /^\* SEARCH 3\r$/m)
  const file = join(newFolder(), 'letter.eml')
  writeFileSync(file, 'Subject: sent by curl\r\n\r\nx\r\n')
  await asked('-T', file, `${url}/Drafts`)
  assert.match(await asked(`${url}/Drafts;MAILINDEX=1`), /^Subject: sent by curl\r$/m)
  const clear = `imap://localhost:${server.port('imap')}/INBOX`
  assert.match(await asked('--ssl-reqd', '-X', 'EXAMINE INBOX', clear), /3 EXISTS/)
  const wrong = await run('curl', ['-sS', '-k', '-u', `${user()}:wrong`, `${url}/`])
  assert.equal(wrong.code, 67, wrong.text)
})

test('fetchmail takes the mail away', { skip: lacks('fetchmail') }, async () => {
  await filled()
  const folder = newFolder()
  const rc = join(folder, 'fetchmailrc')
  const tls = `ssl sslcertck sslcertfile "${server.certificate}"`
  const poll = `set no syslog\npoll localhost protocol imap port ${server.port('imaps')} no dns`
  const login = `user "${user()}" password "${password()}" ${tls} fetchall`
  writeFileSync(rc, `${poll}\n ${login} no rewrite mda "cat >> ${folder}/mail"\n`)
  chmodSync(rc, 0o600)
  const pid = join(folder, 'pid')
  const ran = await run('fetchmail', ['-f', rc, '--pidfile', pid, '-i', join(folder, 'ids'), '-v'])
  good(ran)
  assert.equal((await takeAll(server, server.account(0))).length, 0)
})

test('mbsync keeps two sides alike, and has nothing to do the second time', {
  skip: lacks('mbsync'),
}, async () => {
  await filled()
  const folder = newFolder()
  const here = join(folder, 'mail/INBOX')
  for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(here, sub), { recursive: true })
  const rc = join(folder, 'mbsyncrc')
  writeFileSync(
    rc,
    `IMAPAccount far
Host localhost
Port ${server.port('imaps')}
User ${user()}
Pass ${password()}
SSLType IMAPS
CertificateFile ${server.certificate}

IMAPStore far
Account far

MaildirStore near
Path ${folder}/mail/
Inbox ${here}

Channel both
Far :far:
Near :near:
Patterns INBOX
Create Both
Expunge Both
Sync All
SyncState *
`,
  )
  const sync = async () => good(await run('mbsync', ['-c', rc, '-a']))
  const files = () => ['cur', 'new'].flatMap(sub => readdirSync(join(here, sub))).sort()
  await sync()
  const first = files()
  assert.equal(first.length, 3)
  await sync()
  assert.deepEqual(files(), first)
  // One is read and flagged here: so it is there.
  const [name = ''] = readdirSync(join(here, 'new')).concat(readdirSync(join(here, 'cur')))
  const from = readdirSync(join(here, 'new')).includes(name) ? 'new' : 'cur'
  renameSync(join(here, from, name), join(here, 'cur', `${name.replace(/:2,.*$/, '')}:2,FS`))
  await sync()
  const login = ['-sS', '--cacert', server.certificate, '-u', `${user()}:${password()}`]
  const url = `imaps://localhost:${server.port('imaps')}`
  const found = await run('curl', [...login, `${url}/INBOX?FLAGGED%20SEEN`])
  assert.match(found.text, /^\* SEARCH \d\r$/m)
})
