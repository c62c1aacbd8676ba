/**
 * Starts that must not happen: a second server, a database that is damaged, newer or not ours, a
 * config with errors, a port in use. Each ends with its exit code and says in few words what is wrong,
 * and leaves the data as it was.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { openFolder } from '../../src/server/folder.ts'
import { settingsSchema } from '../../src/server/settings/settings.ts'
import { silent } from '../../src/world/log.ts'
import { clear, newFolder, POSTRIDER, run, type Server, startServer } from '../kit/server.ts'

const PAGE = 8192

/** A folder with some mail in it, from which each test takes a copy. */
let good: string
/** Runs on such a copy, for those who come too late. */
let server: Server

before(async () => {
  const first = await startServer()
  good = first.data
  const smtp = await first.smtp()
  for (let i = 0; i < 40; i++) {
    await smtp.command('MAIL FROM:<joe@remote.example>')
    await smtp.command(`RCPT TO:<${first.account(0).address}>`)
    await smtp.command('DATA')
    await smtp.command(
      `Subject: ${i}\r\n\r\n${'x'.repeat(20_000)}\r\n.`.replace(/x{900}/g, '$&\r\n'),
    )
  }
  smtp.end()
  assert.equal((await first.stop()).code, 0)
  server = await startServer({ data: copy() })
})
after(clear)

function copy(): string {
  const folder = newFolder('copy')
  cpSync(good, folder, { recursive: true })
  return folder
}

/** How a start fails: its exit code and what it says to a person. */
function failure(...args: readonly string[]): { code: number | null; said: string } {
  return failureUnder('', ...args)
}

/** The same behind a command of the shell, such as a limit. */
function failureUnder(
  limit: string,
  ...args: readonly string[]
): { code: number | null; said: string } {
  const command = ['start', '--demo', '--ports', 'auto', ...args]
  const shell = ['-c', `${limit}\nexec "$0" "$@"`, POSTRIDER, ...command]
  const { status, stderr } = spawnSync('sh', shell, { encoding: 'utf8', timeout: 60_000 })
  return {
    code: status,
    said: stderr
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('{'))
      .join('\n'),
  }
}

const message = (error: unknown) => (error instanceof Error ? error.message : String(error))
const octets = (folder: string) => readFileSync(join(folder, 'postrider.db'))

test('a second server on the same data is refused in one line, and the first goes on', async () => {
  const { code, said } = failure('--data', server.data)
  assert.equal(code, 75)
  assert.match(said, /^postrider: another server runs on /)
  assert.equal(said.split('\n').length, 1)
  assert.equal((await server.smtp()).gone, false)
})

test('a port in use is named with its listener', () => {
  const port = server.port('smtp')
  const { code, said } = failure('--data', copy(), '--set', `listeners.smtp.port=${port}`)
  assert.equal(code, 69, said)
  assert.match(said, new RegExp(`^postrider: listeners\\.smtp: cannot listen on .* port ${port}`))
  assert.equal(said.split('\n').length, 1, said)
})

test('a log that was removed behind a SIGKILL is missed by a start and by check, and both leave all as it is', async () => {
  const smtp = await server.smtp()
  await smtp.command('MAIL FROM:<joe@remote.example>')
  await smtp.command(`RCPT TO:<${server.account(0).address}>`)
  await smtp.command('DATA')
  assert.equal((await smtp.command('Subject: acknowledged\r\n\r\nx\r\n.')).code, 250)
  await server.stop('SIGKILL')
  const { data } = server
  const log = join(data, 'postrider.db-wal')
  renameSync(log, `${log}-away`)
  const before = octets(data)
  const { code, said } = failure('--data', data)
  assert.equal(code, 74, said)
  assert.match(said, /has lost what was acknowledged: its log .*-wal is gone.*put the log back/)
  assert.equal(said.split('\n').length, 1, said)
  const check = await run(['check', '--data', data])
  assert.notEqual(check.code, 0)
  assert.match(check.out + check.err, /has lost what was acknowledged/)
  assert.ok(octets(data).equals(before))
  renameSync(`${log}-away`, log)
  const again = await startServer({ data })
  assert.equal((await again.stop()).code, 0)
  const database = new DatabaseSync(join(data, 'postrider.db'))
  const there = database.prepare('SELECT count(*) AS n FROM mailbox_message').get()
  database.close()
  assert.equal(there?.['n'], 41)
})

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ['a first page of noise', path => overwrite(path, 0, PAGE)],
  ['a schema page of noise behind a good header', path => overwrite(path, 100, PAGE - 100)],
  ['a file cut in the middle of a page', path => truncateSync(path, 3 * PAGE + 100)],
  [
    'a file that is no database',
    path => writeFileSync(path, 'this is not a database\n'.repeat(900)),
  ],
]

for (const [name, damage] of damages) {
  test(`${name} is named and left as it is`, async () => {
    const data = copy()
    damage(join(data, 'postrider.db'))
    const before = octets(data)
    // As a start does it, without the process.
    const settings = settingsSchema.parse({ data })
    const refused = await openFolder(settings, silent).then(() => undefined, message)
    assert.match(refused ?? '', /^[^\n]*postrider\.db is damaged or not a database[^\n]*$/)
    assert.ok(octets(data).equals(before), 'the file was touched')
    const check = await run(['check', '--data', data])
    assert.notEqual(check.code, 0)
    assert.match(check.out + check.err, /damaged/)
    assert.ok(octets(data).equals(before), 'check touched the file')
  })
}

test('what a start has no means for is told in one line with its place, and is no bug', () => {
  const data = copy()
  writeFileSync(join(data, 'lock'), '4711\n')
  const locked = failure('--data', data)
  assert.deepEqual(locked, {
    code: 74,
    said: `postrider: ${join(data, 'lock')} is no lock of ours: remove it`,
  })
  const fresh = newFolder('fresh')
  for (const limit of ['ulimit -n 63', 'ulimit -f 0', 'ulimit -f 8']) {
    const { code, said } = failureUnder(limit, '--data', fresh)
    assert.ok(code === 69 || code === 71 || code === 74, `${limit}: ${code} ${said}`)
    assert.match(said, /^postrider: [^\n]*$/, limit)
    assert.doesNotMatch(said, /bug/, limit)
    if (limit === 'ulimit -f 8') assert.match(said, /postrider\.db: /)
    if (limit === 'ulimit -n 63') assert.match(said, /only 63 descriptors are allowed/)
  }
})

test('what is no database ends a start with its exit code, and one line', () => {
  const data = copy()
  overwrite(join(data, 'postrider.db'), 0, PAGE)
  const { code, said } = failure('--data', data)
  assert.equal(code, 74, said)
  assert.match(said, /^postrider: .*postrider\.db is damaged or not a database/)
  assert.equal(said.split('\n').length, 1, said)
})

test('noise in the middle of the data is named by check, and a start refuses it', async () => {
  const data = copy()
  const path = join(data, 'postrider.db')
  const pages = statSync(path).size / PAGE
  for (let page = 4; page < pages - 1; page += 5) overwrite(path, page * PAGE, PAGE)
  const before = octets(data)
  const check = await run(['check', '--data', data])
  assert.notEqual(check.code, 0)
  assert.doesNotMatch(check.err, /bug/)
  // It names what is broken, or that it cannot even be opened.
  assert.match(check.out + check.err, /the database is whole|is damaged/)
  const { code, said } = failure('--data', data)
  assert.equal(code, 74, said)
  assert.match(said, /postrider\.db is damaged/)
  assert.equal(said.split('\n').length, 1, said)
  assert.ok(octets(data).equals(before))
})

test('garbage or nothing where the log file was is no harm', async () => {
  for (const garbage of ['', 'garbage'.repeat(3000)]) {
    const data = copy()
    writeFileSync(join(data, 'postrider.db-wal'), garbage)
    writeFileSync(join(data, 'postrider.db-shm'), garbage)
    const folder = await openFolder(settingsSchema.parse({ data }), silent)
    assert.ok(folder)
    await folder.close()
    assert.equal((await run(['check', '--data', data])).code, 0)
  }
})

test('a database from a newer version is refused by name and left as it is', () => {
  const data = copy()
  const path = join(data, 'postrider.db')
  const database = new DatabaseSync(path)
  database.exec(
    `INSERT INTO migration (version, name, checksum, at) VALUES (9999, 'later', 'x', 0);
     UPDATE setting SET value = '9999' WHERE name = 'database.since'`,
  )
  database.close()
  const before = octets(data)
  const { code, said } = failure('--data', data)
  assert.equal(code, 74, said)
  assert.match(said, /newer/)
  assert.equal(said.split('\n').length, 1, said)
  assert.ok(octets(data).equals(before))
})

test('all errors of a config come at once, each with its path, and the exit is 78', () => {
  const folder = newFolder('config')
  const config = join(folder, 'postrider.config.json')
  writeFileSync(
    config,
    JSON.stringify({ hostnam: 'x', limits: { messageSize: 'huge' }, queue: { retry: [] } }),
  )
  const { code, said } = failure('--data', join(folder, 'data'), '--config', config)
  assert.equal(code, 78)
  for (const path of ['hostnam', 'limits.messageSize', 'queue.retry'])
    assert.ok(said.includes(path))
  assert.deepEqual(readdirSync(folder), ['postrider.config.json'])
})

function overwrite(path: string, at: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, at)
  closeSync(file)
}
