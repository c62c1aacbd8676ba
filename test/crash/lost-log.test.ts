/**
 * What somebody's clean-up takes from a database: its log behind a SIGKILL, its end or its log's while it is
 * open. SQLite takes what is left for a good database. Nothing more is acknowledged then, and no start goes on
 * as if nothing had been.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { type FileStore, openStore } from '../../src/store/open.ts'
import { StoreError } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { accept, accepted, settle } from './store-room.ts'

const program = new URL('./store-writer.ts', import.meta.url).pathname
const modules = [new URL('./store-room.ts', import.meta.url)]
const clock = { now: Date.now, monotonic: () => 0, after: () => ({ cancel() {} }) }
const opened = (path: string): Promise<FileStore> =>
  openStore({ path, modules, clock, log: silent })

const folders: string[] = []
/** Killed under load, with a log that holds something; and what it had acknowledged. */
let killed: string
let last: number

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-lost-'))
  folders.push(folder)
  return folder
}

/** A copy of the folder of the killed one. */
function copy(): { readonly path: string; readonly log: string; readonly mark: string } {
  const folder = newFolder()
  for (const name of readdirSync(killed)) copyFileSync(join(killed, name), join(folder, name))
  const path = join(folder, 'mail.db')
  return { path, log: `${path}-wal`, mark: join(folder, 'mail.committed') }
}

/** As any program does that looks into a database and closes it last. */
function fold(path: string): void {
  const other = new DatabaseSync(path)
  other.prepare('SELECT count(*) FROM setting').get()
  other.close()
}

before(async () => {
  killed = newFolder()
  const path = join(killed, 'mail.db')
  // The log of a first life is folded; then another is killed.
  await (await opened(path)).close()
  const child = spawn(process.execPath, [program, path, '0', '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    if (text.length > 400) child.kill('SIGKILL')
  })
  await once(child, 'close')
  last = Math.max(...text.split('\n').slice(0, -1).map(Number))
})
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const gone = (error: unknown) =>
  error instanceof StoreError &&
  /has lost what was acknowledged: .*mail\.committed/.test(error.message)

test('behind a kill, a log that was removed, cut or replaced by an older one is named, nothing is touched, and it is taken again once the log is back', async () => {
  const { path, log, mark } = copy()
  const database = readFileSync(path)
  renameSync(log, `${log}-away`)
  await assert.rejects(opened(path), gone)
  await assert.rejects(opened(path), gone, 'and the next time')
  const half = Math.floor(statSync(`${log}-away`).size / 2)
  writeFileSync(log, readFileSync(`${log}-away`).subarray(0, half))
  await assert.rejects(opened(path), gone)
  assert.equal(statSync(log).size, half)
  writeFileSync(log, '')
  await assert.rejects(opened(path), gone)
  assert.ok(readFileSync(path).equals(database), 'the database is as it was')
  renameSync(`${log}-away`, log)
  const store = await opened(path)
  assert.ok((await store.read(accepted, undefined)).includes(last))
  await store.close()
  assert.ok(!existsSync(mark), 'after a clean end nothing is claimed')
})

test('who is told to go on without it does, from the database as it is', async () => {
  const { path, log, mark } = copy()
  rmSync(log)
  await assert.rejects(opened(path), gone)
  rmSync(mark)
  const store = await opened(path)
  assert.equal(await store.write(accept, { n: 9_999, octets: new Uint8Array(9) }), 9_999)
  await store.close()
})

test('an older copy of the database is named; with the database moved away a new one is begun', async () => {
  const { path, log, mark } = copy()
  const old = `${path}-old`
  copyFileSync(path, old)
  fold(path)
  assert.ok(!existsSync(log), 'another program has folded it')
  const whole = `${path}-whole`
  renameSync(path, whole)
  renameSync(old, path)
  await assert.rejects(opened(path), gone)
  renameSync(path, old)
  await (await opened(path)).close()
  assert.ok(!existsSync(mark))
})

test('a log that another program folded by the rules is not missed, nor a number that a crash of the machine has left behind', async () => {
  const folded = copy()
  fold(folded.path)
  assert.ok(!existsSync(folded.log))
  await (await opened(folded.path)).close()
  for (const spoilt of ['', '\0'.repeat(17), '0000000000000001\n', 'x']) {
    const { path, mark } = copy()
    writeFileSync(mark, spoilt)
    const store = await opened(path)
    assert.ok((await store.read(accepted, undefined)).includes(last))
    await store.close()
  }
})

const n = (() => {
  let next = 100_000
  return () => next++
})()
const send = (store: FileStore) => store.write(accept, { n: n(), octets: new Uint8Array(2_000) })

const blows: readonly (readonly [string, (path: string) => void])[] = [
  ['the database cut', path => truncateSync(path, 3 * 8192)],
  ['the database emptied', path => truncateSync(path, 0)],
  ['the log emptied', path => truncateSync(`${path}-wal`, 0)],
  ['the log cut', path => truncateSync(`${path}-wal`, 20_000)],
  ['the log written over', path => writeFileSync(`${path}-wal`, 'noise'.repeat(90_000))],
]

for (const [what, strike] of blows) {
  test(`${what} under an open store: not one write more is acknowledged`, async () => {
    const { path } = copy()
    const store = await opened(path)
    for (let i = 0; i < 3; i++) await send(store)
    strike(path)
    for (let i = 0; i < 3; i++) {
      await assert.rejects(
        send(store),
        (error: unknown) => error instanceof StoreError && error.reason === 'broken',
      )
    }
    await store.close().catch(() => undefined)
  })
}

test('a database that gives pages back, a checkpoint from outside and a log that begins anew are no faults', async () => {
  const { path } = copy()
  const store = await opened(path)
  const kept: number[] = []
  const large = () => store.write(accept, { n: n(), octets: new Uint8Array(120_000) })
  for (let i = 0; i < 60; i++) kept.push(await large())
  const other = new DatabaseSync(path)
  assert.deepEqual(
    { ...other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() },
    { busy: 0, log: 0, checkpointed: 0 },
  )
  for (let i = 0; i < 3; i++) kept.push(await large())
  for (const each of kept.splice(0, 55)) await store.write(settle, each)
  const { giveBackPages } = await import('../../src/store/sweep.ts')
  while (await store.write(giveBackPages, undefined)) await send(store)
  for (let i = 0; i < 60; i++) kept.push(await large())
  other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  await send(store)
  other.close()
  await send(store)
  await store.close()
  const again = await opened(path)
  const there = new Set(await again.read(accepted, undefined))
  assert.deepEqual(
    kept.filter(each => !there.has(each)),
    [],
  )
  await again.close()
})
