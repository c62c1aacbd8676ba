/**
 * The store against the real kernel: a process that writes is killed at random moments, and a disk
 * that is full. What was acknowledged must be there, and every invariant must hold.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { backup } from '../../src/store/backup.ts'
import { findings } from '../../src/store/check.ts'
import { type FileStore, openStore } from '../../src/store/open.ts'
import { StoreError } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeDisk } from '../../src/world/node/disk.ts'
import { accept, accepted, settle, stage } from './store-room.ts'

const writer = new URL('./store-writer.ts', import.meta.url).pathname
const modules = [new URL('./store-room.ts', import.meta.url)]
const clock = { now: Date.now, monotonic: () => 0, after: () => ({ cancel() {} }) }

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'postrider-crash-'))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function opened(path: string, maxPages?: number): Promise<FileStore> {
  const bound = maxPages === undefined ? {} : { maxPages }
  return openStore({ path, modules, clock, log: silent, ...bound })
}

/** Runs the writer until `afterMs` behind its first acknowledgement, kills it; what it acknowledged. */
async function killed(path: string, first: number, afterMs: number): Promise<number[]> {
  const child = spawn(process.execPath, [writer, path, `${first}`, '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (chunk: string) => {
    if (text === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    text += chunk
  })
  await new Promise(resolve => child.on('close', resolve))
  // A last line without its end was cut by the kill.
  return text.split('\n').slice(0, -1).map(Number)
}

test('killed at random moments, nothing acknowledged is lost and all is sound', () =>
  inDirectory(async directory => {
    const path = join(directory, 'mail.db')
    const acknowledged: number[] = []
    for (let round = 0; round < 5; round++) {
      const lines = await killed(path, round * 1_000_000, Math.random() * 60)
      assert.ok(lines.length > 0)
      acknowledged.push(...lines)
    }
    const store = await opened(path)
    const present = new Set(await store.read(accepted, undefined))
    assert.deepEqual(
      acknowledged.filter(n => !present.has(n)),
      [],
    )
    assert.deepEqual(await findings(store, []), [])
    await store.close()
  }))

test('a full file says full, loses nothing, and takes mail again when there is room', () =>
  inDirectory(async directory => {
    const path = join(directory, 'mail.db')
    const store = await opened(path, 100)
    const kept: number[] = []
    let reason = ''
    for (let n = 1; reason === '' && n < 100; n++) {
      try {
        kept.push(await store.write(accept, { n, octets: new Uint8Array(20_000) }))
      } catch (error) {
        reason = error instanceof StoreError ? error.reason : String(error)
      }
    }
    assert.equal(reason, 'full')
    assert.deepEqual(await store.read(accepted, undefined), kept)
    for (const n of kept.slice(0, 3)) await store.write(settle, n)
    assert.equal(await store.write(accept, { n: 1_000, octets: new Uint8Array(20_000) }), 1_000)
    assert.deepEqual(await findings(store, []), [])
    await store.close()
  }))

test('where the kernel lets no file grow, a write is refused and the store stays sound', () =>
  inDirectory(async directory => {
    const path = join(directory, 'mail.db')
    // The limit of a file, in units of 1 KB, holds for the log and the database alike.
    const command = `ulimit -f 2048; exec "$0" "$@"`
    const limited = spawn('bash', ['-c', command, process.execPath, writer, path, '0', '30000'])
    let said = ''
    let complained = ''
    limited.stdout.setEncoding('latin1').on('data', text => {
      said += text
      // Goes on for a moment, so that it is refused more than once.
      if (said.includes('full')) setTimeout(() => limited.kill('SIGKILL'), 200)
    })
    limited.stderr.setEncoding('latin1').on('data', text => {
      complained += text
    })
    await once(limited, 'close')
    const lines = said.split('\n').slice(0, -1)
    const reasons = new Set(lines.filter(line => Number.isNaN(Number(line))))
    assert.deepEqual([...reasons], ['full'], complained)
    const store = await opened(path)
    const present = new Set(await store.read(accepted, undefined))
    const acknowledged = lines.map(Number).filter(n => !Number.isNaN(n))
    assert.ok(acknowledged.length > 0)
    assert.deepEqual(
      acknowledged.filter(n => !present.has(n)),
      [],
    )
    const n = 1_000_000
    assert.equal(await store.write(accept, { n, octets: new Uint8Array(10) }), n)
    assert.deepEqual(await findings(store, []), [])
    await store.close()
  }))

test('a backup made beside a busy writer is whole, private and opens by itself', () =>
  inDirectory(async directory => {
    const store = await opened(join(directory, 'mail.db'))
    const disk = await nodeDisk(join(directory, 'bodies'))
    const staged = await disk.stage()
    await staged.write(new Uint8Array(300_000).fill(7))
    await staged.seal()
    const size = 300_000
    await store.write(accept, { n: 0, octets: new Uint8Array(size) })
    await store.write(stage, { n: 0, name: staged.name, size })
    let busy = true
    let last = 0
    const writing = (async () => {
      while (busy) last = await store.write(accept, { n: last + 1, octets: new Uint8Array(1_000) })
    })()
    while (last < 100) await new Promise(resolve => setTimeout(resolve, 5))
    const before = last
    const to = join(directory, 'backup')
    const names = { databaseName: 'mail.db', bodiesName: 'bodies' }
    const made = await backup({ store, disk, clock, log: silent, directory: to, ...names })
    busy = false
    await writing
    await store.close()
    assert.deepEqual(made.findings, [])
    assert.equal(made.bodies, 1)
    assert.ok(made.sizeOctets > size)
    const body = join(to, 'bodies', staged.name)
    assert.ok(readFileSync(body).equals(Buffer.alloc(size, 7)))
    for (const path of [body, made.database]) assert.equal(statSync(path).mode & 0o777, 0o600)
    const copy = await opened(made.database)
    const present = new Set(await copy.read(accepted, undefined))
    for (let n = 0; n <= before; n++) assert.ok(present.has(n))
    await copy.close()
  }))
