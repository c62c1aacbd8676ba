/**
 * A backup taken while mail comes and goes, and the way back from it: whole, proven, and never over what is
 * there. And an upgrade that is rehearsed on a copy.
 */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HASHES } from '../../src/store/backup.ts'
import { restore } from '../../src/store/restore.ts'
import { silent } from '../../src/world/log.ts'
import { SqliteConnection } from '../../src/world/node/sqlite.ts'
import { clear, newFolder, run, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'
import { Load, numberOf } from './load.ts'

const KB = 1024
let sink: Sink
let server: Server
let made: string
/** What was acknowledged before the backup began. */
let taken: ReadonlySet<number>

before(async () => {
  sink = await Sink.open()
  server = await startServer({ smarthost: `127.0.0.1:${sink.port}`, set: { 'queue.retry': '1s' } })
  // Staged bodies that live for a moment only are the hard part: every third goes on to the next hop.
  const load = new Load({ senders: 6, sizes: [900, 200 * KB, 130 * KB], remote: true, restMs: 20 })
  load.start(server)
  while (load.sent.acknowledged.size < 20) await sleep(20)
  taken = new Set(load.sent.acknowledged)
  made = join(newFolder('backup'), 'monday')
  const backup = await server.run('backup', made, '--json')
  assert.equal(backup.code, 0, backup.out + backup.err)
  await load.stop()
  assert.ok(load.sent.acknowledged.size > taken.size, 'mail went on meanwhile')
})

after(() => {
  sink.close()
  clear()
})

const clock = { now: Date.now, monotonic: () => 0, after: () => ({ cancel() {} }) }

/** What the command does, in this process. */
const restored = (data: string, from = made) =>
  restore({
    clock,
    log: silent,
    from,
    databaseName: 'postrider.db',
    bodiesName: 'bodies',
    data,
    bodies: join(data, 'bodies'),
  })

/** What UIDL says of the mailbox (RFC 1939 §7); the password is that of the server all this began with. */
async function namesAt(one: Server): Promise<readonly string[]> {
  const { address, password } = server.account(1)
  const dialogue = await one.connect('pop3s')
  await dialogue.line()
  for (const command of [`USER ${address}`, `PASS ${password}`, 'UIDL']) {
    assert.match(await dialogue.ask(command), /^\+OK/)
  }
  const list = (await dialogue.multiline()).toString('latin1').trim()
  dialogue.end()
  return list.split('\r\n').map(line => line.split(' ')[1] ?? '')
}

async function deliverOne(one: Server): Promise<void> {
  const before = (await namesAt(one)).length
  const dialogue = await one.smtp()
  for (const command of [
    'MAIL FROM:<joe@remote.example>',
    `RCPT TO:<${server.account(1).address}>`,
    'DATA',
  ]) {
    assert.ok((await dialogue.command(command)).code < 400)
  }
  assert.equal((await dialogue.command('Subject: new\r\n\r\nnew\r\n.')).code, 250)
  dialogue.end()
  while ((await namesAt(one)).length === before) await sleep(20)
}

test('a backup made under load is restored whole: all that was acknowledged before it is there, octet for octet', async () => {
  const data = newFolder()
  const { code, err } = await run(['restore', made, '--data', data])
  assert.equal(code, 0, err)
  const twin = await startServer({ data, smarthost: `127.0.0.1:${sink.port}` })
  // Its passwords are those of the server it is a copy of.
  const mail = await twin.mail({ ...server.account(1) })
  const numbers = mail.map(numberOf)
  assert.ok(!numbers.includes(undefined))
  assert.equal(new Set(numbers).size, numbers.length)
  for (const number of taken) assert.ok(numbers.includes(number), `${number} is lost`)
  // The server gave names to more messages behind its backup: a client that knows them must not take new mail for these.
  const known = new Set(await namesAt(server))
  await deliverOne(twin)
  const [fresh = ''] = (await namesAt(twin)).slice(-1)
  assert.ok(!known.has(fresh), `${fresh} is the name of another message`)
  assert.equal((await twin.stop()).code, 0)
  assert.equal((await twin.run('check')).code, 0)
})

test('a restore writes over nothing: no database, no log of one, no bodies', async () => {
  const cases = [
    ['postrider.db', 'postrider.db'],
    ['postrider.db-wal', 'postrider.db-wal'],
    ['bodies', 'bodies/x'],
  ] as const
  for (const [named, file] of cases) {
    const data = newFolder()
    mkdirSync(join(data, 'bodies'))
    writeFileSync(join(data, file), 'theirs')
    const before = readdirSync(data)
    assert.deepEqual(await restored(data), { kind: 'occupied', path: join(data, named) })
    assert.deepEqual(readdirSync(data), before)
  }
  const { code, err } = await run(['restore', made, '--data', server.data])
  assert.equal(code, 75, err)
})

test('a backup that is not what it was is not used, and the restore begins anew with a good one', async () => {
  const spoil: readonly (readonly [RegExp, (backup: string) => void])[] = [
    [/its SHA-256 is not/, backup => appendFileSync(bodyOf(backup), 'x')],
    [/it is missing/, backup => rmSync(bodyOf(backup))],
    [/its SHA-256 is not/, backup => appendFileSync(join(backup, 'postrider.db'), 'x')],
    [/or was cut off/, backup => rmSync(join(backup, HASHES))],
    [/no backup/, backup => appendFileSync(join(backup, HASHES), `${'0'.repeat(64)}  ../../x\n`)],
    // As long as the name of the folder, and no folder of the backup.
    [/no backup/, backup => appendFileSync(join(backup, HASHES), `${'0'.repeat(64)}  ../../ea0\n`)],
  ]
  const data = newFolder()
  for (const [said, harm] of spoil) {
    const copy = join(newFolder('spoilt'), 'copy')
    cpSync(made, copy, { recursive: true })
    harm(copy)
    const told = await restored(data, copy)
    assert.equal(told.kind, 'unlike')
    assert.match(told.kind === 'unlike' ? told.detail : '', said)
    assert.ok(!readdirSync(data).includes('postrider.db'))
  }
  assert.equal((await restored(data)).kind, 'restored')
})

test('beside half of a restore, or bodies without their database, no server starts with an empty one', async () => {
  const data = newFolder()
  assert.equal((await restored(data)).kind, 'restored')
  const database = join(data, 'postrider.db')
  const refused = async () => {
    const { code, out, err } = await run(['check', '--data', data])
    assert.equal(code, 74, out + err)
    assert.ok(!existsSync(database))
    return err
  }
  renameSync(database, join(data, 'restoring-postrider.db'))
  assert.match(await refused(), /is missing: a restore was cut off: run it again/)
  renameSync(join(data, 'restoring-postrider.db'), join(data, 'elsewhere.db'))
  assert.match(await refused(), /is missing: there is mail in .*bodies/)
  rmSync(join(data, 'bodies'), { recursive: true })
  mkdirSync(join(data, 'bodies', 'lost+found'), { recursive: true })
  assert.equal((await run(['check', '--data', data])).code, 0)
})

test('an upgrade is rehearsed on a copy, beside a server and without one; a newer database is refused', async () => {
  const rehearse = (data: string) => run(['check', '--rehearse', '--data', data, '--json'])
  const beside = await rehearse(server.data)
  assert.equal(beside.code, 0, beside.err)
  assert.deepEqual((JSON.parse(beside.out) as { findings: unknown[] }).findings, [])
  assert.ok(!readdirSync(server.data).includes('rehearsal'))

  const data = newFolder()
  assert.equal((await restored(data)).kind, 'restored')
  assert.equal((await rehearse(data)).code, 0)
  const connection = new SqliteConnection(join(data, 'postrider.db'))
  connection.execute(`INSERT INTO migration VALUES (999, 'later', 'x', 0)`)
  connection.close()
  const newer = await rehearse(data)
  assert.equal(newer.code, 74, newer.out)
  assert.match(newer.err, /written by a newer Postrider/)
})

function bodyOf(backup: string): string {
  const [first] = readdirSync(join(backup, 'bodies'))
  assert.ok(first !== undefined)
  return join(backup, 'bodies', first)
}
