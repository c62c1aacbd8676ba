/**
 * People's own programs at work with IMAP for a while: synchronizing both ways (mbsync, OfflineIMAP), at a terminal
 * (mutt, Alpine), taking mail away (getmail), and a library (ImapFlow). What they have done is looked at by a
 * client that shares no code with the server.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { clear, newFolder, type Server, startServer } from '../kit/server.ts'
import { lacks, type Ran, run, UNPACKED } from './program.ts'
import { RawImap } from './raw-imap.ts'

const NOBODY = 65534
let server: Server
let imap: RawImap

before(async () => {
  server = await startServer()
})
after(async () => {
  imap.close()
  assert.deepEqual(server.faults(), [])
  await server.stop()
  clear()
})
beforeEach(async () => {
  imap?.close()
  imap = await RawImap.open(server, server.account(0))
  if ((await imap.listed()).length > 0) {
    await imap.say('STORE 1:* +FLAGS.SILENT (\\Deleted)')
    await imap.say('EXPUNGE')
  }
})

const good = (ran: Ran) => assert.equal(ran.code, 0, ran.text)
const user = () => server.account(0).address
const password = () => server.account(0).password

function letter(n: number, octets = 0): string {
  const header = `From: Joe <joe@example.org>\r\nTo: ${user()}\r\nSubject: letter ${n}\r\n`
  const lines = 'Line after line of it.\r\n'.repeat(Math.ceil(octets / 24))
  return `${header}Message-ID: <${n}@letters.test>\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\nHello ${n}\r\n${lines}`
}

function maildir(path: string): string {
  for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(path, sub), { recursive: true })
  return path
}

function filesOf(box: string): string[] {
  return ['cur', 'new'].flatMap(sub => readdirSync(join(box, sub)).map(file => join(sub, file)))
}

/** Which flags which letter has, in a Maildir. */
function inFolder(box: string): string[] {
  const told = filesOf(box).map(file => {
    const n = /^Subject: letter (\d+)/m.exec(readFileSync(join(box, file), 'utf8'))?.[1]
    return `${n} ${/:2,(.*)$/.exec(file)?.[1] ?? ''}`
  })
  return told.sort()
}

const LETTERS = { Draft: 'D', Flagged: 'F', Answered: 'R', Seen: 'S' }

/** The same, on the server. */
async function onServer(): Promise<string[]> {
  const told = await imap.say('FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  const rows = told.matchAll(/FLAGS \(([^)]*)\).*\r\nSubject: letter (\d+)/g)
  return Array.from(rows, ([, flags = '', n]) => {
    const letters = Object.entries(LETTERS).flatMap(([name, letter]) =>
      flags.includes(`\\${name}`) ? letter : [],
    )
    return `${n} ${letters.join('')}`
  }).sort()
}

const FLAGS = ['', '\\Seen', '\\Flagged \\Seen', '\\Answered', '\\Draft']

/** 300 letters there and 200 here, with all kinds of flags. */
async function fillBoth(box: string): Promise<void> {
  for (let n = 0; n < 300; n++) await imap.append('INBOX', letter(n), FLAGS[n % FLAGS.length])
  for (let n = 300; n < 500; n++) {
    const info = ['', 'S', 'FS', 'R', 'D'][n % 5] ?? ''
    writeFileSync(join(box, 'cur', `${n}.here:2,${info}`), letter(n))
  }
}

/** Changes both sides: read, flagged, and gone. */
async function changeBoth(box: string): Promise<void> {
  for (const file of filesOf(box).sort().slice(0, 60)) {
    const name = file.slice(file.indexOf('/') + 1).replace(/:2,.*$/, '')
    renameSync(join(box, file), join(box, 'cur', `${name}:2,FS`))
  }
  for (const file of filesOf(box).sort().slice(100, 120)) rmSync(join(box, file))
  await imap.say('STORE 200:240 +FLAGS.SILENT (\\Answered \\Seen)')
  await imap.say('STORE 260:279 +FLAGS.SILENT (\\Deleted)')
  await imap.say('EXPUNGE')
}

/** What a client that finds nothing to do may not move. */
async function stateOf(box: string): Promise<unknown> {
  const status = await imap.say('STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)')
  return [/\(MESSAGES.*\)/.exec(status)?.[0], filesOf(box).sort()]
}

async function alike(box: string): Promise<void> {
  await imap.say('NOOP')
  assert.deepEqual(inFolder(box), await onServer())
}

async function twoWays(box: string, sync: () => Promise<void>): Promise<void> {
  await fillBoth(box)
  await sync()
  await alike(box)
  assert.equal(filesOf(box).length, 500)
  const before = await stateOf(box)
  await sync()
  assert.deepEqual(await stateOf(box), before, 'there was nothing to do')
  await changeBoth(box)
  await sync()
  await alike(box)
  const changed = await stateOf(box)
  await sync()
  assert.deepEqual(await stateOf(box), changed, 'there was nothing to do again')
}

test('mbsync keeps 500 messages and their flags alike, both ways', {
  skip: lacks('mbsync'),
}, async () => {
  const folder = newFolder()
  const box = maildir(join(folder, 'mail/INBOX'))
  const rc = join(folder, 'mbsyncrc')
  writeFileSync(
    rc,
    `IMAPStore far
Host localhost
Port ${server.port('imaps')}
User ${user()}
Pass ${password()}
SSLType IMAPS
CertificateFile ${server.certificate}

MaildirStore near
Path ${folder}/mail/
Inbox ${box}

Channel both
Far :far:
Near :near:
Patterns INBOX
Expunge Both
Sync All
SyncState *
`,
  )
  await twoWays(box, async () => good(await run('mbsync', ['-c', rc, '-a'])))
})

test('OfflineIMAP keeps 500 messages and their flags alike, both ways', {
  skip: lacks('offlineimap'),
}, async () => {
  const folder = newFolder()
  const box = maildir(join(folder, 'mail/INBOX'))
  const rc = join(folder, 'offlineimaprc')
  writeFileSync(
    rc,
    `[general]
accounts = a
metadata = ${folder}/metadata
[Account a]
localrepository = here
remoterepository = there
[Repository here]
type = Maildir
localfolders = ${folder}/mail
[Repository there]
type = IMAP
remotehost = localhost
remoteport = ${server.port('imaps')}
remoteuser = ${user()}
remotepass = ${password()}
ssl = yes
sslcacertfile = ${server.certificate}
folderfilter = lambda name: name == 'INBOX'
`,
  )
  const sync = async () => {
    const env = { HOME: folder }
    good(await run('offlineimap', ['-c', rc, '-o', '-u', 'basic'], { env, timeoutMs: 60_000 }))
  }
  await twoWays(box, sync)
})

/** Types at a program in a terminal of its own. */
function typed(
  keys: readonly (readonly [string, string])[],
  argv: readonly string[],
  folder: string,
): Promise<Ran> {
  const script = join(import.meta.dirname, 'type-at.py')
  return run('python3', [script, JSON.stringify(keys), ...argv], {
    env: { HOME: folder, TERM: 'vt100', LINES: '24', COLUMNS: '80' },
    timeoutMs: 60_000,
  })
}

test('mutt flags, copies and deletes', { skip: lacks('mutt', 'python3') }, async () => {
  for (let n = 0; n < 4; n++) await imap.append('INBOX', letter(n))
  const folder = newFolder()
  const rc = join(folder, 'muttrc')
  const url = `imaps://localhost:${server.port('imaps')}/INBOX`
  writeFileSync(
    rc,
    `set imap_user="${user()}" imap_pass="${password()}" ssl_force_tls=yes
set certificate_file="${server.certificate}" header_cache="${folder}"
set folder="imaps://localhost:${server.port('imaps')}/" confirmappend=no confirmcreate=no delete=yes
set move=no wait_key=no pager_stop=yes resolve=no sort=mailbox-order mark_old=no
`,
  )
  const ran = await typed(
    [
      ['letter 3', '1\nF'],
      ['!', 'C'],
      ['to mailbox', '=Archive\n'],
      ['', '2\nd'],
      ['', '4\n\n'],
      ['Hello 3', 'i$'],
      ['', 'q'],
    ],
    ['mutt', '-n', '-F', rc, '-f', url],
    folder,
  )
  good(ran)
  await imap.say('NOOP')
  assert.deepEqual(await onServer(), ['0 F', '2 ', '3 S'])
  await imap.say('SELECT Archive')
  assert.match((await onServer()).join(), /^0 /)
  await imap.say('STORE 1:* +FLAGS.SILENT (\\Deleted)')
  await imap.say('CLOSE')
})

test('Alpine reads, saves and expunges', { skip: lacks('alpine', 'python3') }, async () => {
  for (let n = 0; n < 3; n++) await imap.append('INBOX', letter(n))
  const folder = newFolder()
  const rc = join(folder, 'pinerc')
  const far = `{localhost:${server.port('imaps')}/ssl/novalidate-cert/user=${user()}}`
  writeFileSync(
    rc,
    `inbox-path=${far}INBOX
folder-collections=Mail ${far}[]
personal-name=Joe
user-domain=example.org
last-version-used=9.99
feature-list=quit-without-confirm,expunge-without-confirm,no-save-will-quote-leading-froms
sort-key=Arrival
`,
  )
  const ran = await typed(
    [
      ['PASSWORD: ', `${password()}\r`],
      ['\\[Yes\\]', 'n'],
      ['letter 2', 'd'],
      ['', 's'],
      ['(?i)folder', `Archive\r`],
      ['', 'x'],
      ['', 'q'],
    ],
    ['alpine', '-p', rc, '-i'],
    folder,
  )
  good(ran)
  await imap.say('NOOP')
  assert.equal((await onServer()).length, 1)
  await imap.say('SELECT Archive')
  assert.equal((await onServer()).length, 1)
})

test('getmail takes all mail away by IMAP', { skip: lacks('getmail') }, async () => {
  for (let n = 0; n < 20; n++) await imap.append('INBOX', letter(n, n === 7 ? 300_000 : 0))
  const folder = newFolder()
  const box = maildir(join(folder, 'mail'))
  const [rc, ca] = [join(folder, 'getmailrc'), join(folder, 'ca.pem')]
  writeFileSync(ca, readFileSync(server.certificate))
  const login = `server = localhost\nport = ${server.port('imaps')}\nusername = ${user()}\npassword = ${password()}`
  const kind = `type = SimpleIMAPSSLRetriever\nca_certs = ${ca}\nmailboxes = ("INBOX",)`
  const rest = `[destination]\ntype = Maildir\npath = ${box}/\n[options]\ndelete = true\ndelivered_to = false\nreceived = false`
  writeFileSync(rc, `[retriever]\n${kind}\n${login}\n${rest}\n`)
  chmodSync(folder, 0o755)
  // It delivers nothing as root.
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY } : {}
  for (const path of [folder, box, ca, rc, ...['cur', 'new', 'tmp'].map(sub => join(box, sub))]) {
    if ('uid' in asNobody) chownSync(path, NOBODY, NOBODY)
  }
  const ran = await run('getmail', ['--getmaildir', folder, '--rcfile', rc], {
    ...asNobody,
    ...{ env: { HOME: folder }, cwd: '/', timeoutMs: 90_000 },
  })
  good(ran)
  assert.equal(filesOf(box).length, 20)
  const largest = filesOf(box).map(file => readFileSync(join(box, file), 'utf8').length)
  // Its Maildir has no CR.
  assert.ok(Math.max(...largest) > 280_000)
  await imap.say('NOOP')
  assert.deepEqual(await imap.listed(), [])
})

/** The library, installed for this test; undefined where it cannot be had. */
function imapFlow(): string | undefined {
  const folder = join(UNPACKED, 'npm')
  const module = join(folder, 'node_modules/imapflow/dist/esm/imap-flow.js')
  if (existsSync(module)) return module
  mkdirSync(folder, { recursive: true })
  const words = ['install', '--no-audit', '--no-fund', '--prefix', folder, 'imapflow@2']
  spawnSync('npm', words, { stdio: 'ignore', timeout: 60_000, cwd: folder })
  return existsSync(module) ? module : undefined
}

const flow = imapFlow()

test('ImapFlow lives a whole life', {
  skip: flow === undefined ? 'imapflow cannot be installed from the npm registry' : false,
}, async () => {
  for (let n = 0; n < 4; n++) await imap.append('INBOX', letter(n, n === 2 ? 300_000 : 0))
  const script = join(import.meta.dirname, 'imapflow-session.mjs')
  const words = [flow ?? '', String(server.port('imaps')), user(), password()]
  const ran = await run({ file: process.execPath }, [script, ...words])
  good(ran)
  assert.match(ran.text, /all was as it should be/)
})
