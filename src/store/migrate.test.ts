import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Clock } from '../world/clock.ts'
import { silent } from '../world/log.ts'
import { SqliteConnection } from '../world/node/sqlite.ts'
import { openStore } from './open.ts'
import { StoreError } from './store.ts'

const clock: Clock = { now: () => 1_000, monotonic: () => 0, after: () => ({ cancel() {} }) }

/** A new directory with the path of a database, removed behind the test. */
async function inDirectory(run: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'postrider-migrate-'))
  try {
    await run(join(directory, 'mail.db'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function made(path: string): Promise<void> {
  const store = await openStore({ path, modules: [], clock, log: silent })
  await store.close()
}

/** Opening is refused with this message, and the file stays as it is. */
async function refused(path: string, message: RegExp): Promise<void> {
  const before = readFileSync(path)
  await assert.rejects(made(path), error => {
    assert.ok(error instanceof StoreError)
    assert.equal(error.reason, 'broken')
    assert.match(error.message, message)
    assert.ok(error.message.includes(path))
    return true
  })
  assert.ok(readFileSync(path).equals(before), 'the file was touched')
}

test('a new database is private, ours, and opens again', () =>
  inDirectory(async path => {
    await made(path)
    await made(path)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const connection = new SqliteConnection(path)
    const pragmas = ['application_id', 'page_size', 'auto_vacuum', 'journal_mode']
    const values = pragmas.map(name => Object.values(connection.get(`PRAGMA ${name}`, []) ?? {})[0])
    connection.close()
    assert.deepEqual(values, [0x504f5354, 8_192, 2, 'wal'])
  }))

test('an empty file, as a crash at birth leaves it, becomes a database', () =>
  inDirectory(async path => {
    writeFileSync(path, '')
    await made(path)
  }))

test('a database of a newer version is refused', () =>
  inDirectory(async path => {
    await made(path)
    const connection = new SqliteConnection(path)
    connection.execute(`INSERT INTO migration VALUES (999, 'later', 'x', 0)`)
    connection.close()
    await refused(path, /newer Postrider \(database version 999/)
  }))

test('a database that calls itself newer is refused, whatever steps it lists', () =>
  inDirectory(async path => {
    await made(path)
    const connection = new SqliteConnection(path)
    connection.execute('PRAGMA user_version = 999')
    connection.close()
    await refused(path, /newer Postrider \(database version 999/)
  }))

test('a database whose migration was another text is refused', () =>
  inDirectory(async path => {
    await made(path)
    const connection = new SqliteConnection(path)
    connection.execute(`UPDATE migration SET checksum = 'x'`)
    connection.close()
    await refused(path, /another edition of migration 1/)
  }))

test('the database of another program is refused', () =>
  inDirectory(async path => {
    const connection = new SqliteConnection(path)
    connection.execute('CREATE TABLE song (name TEXT)')
    connection.close()
    await refused(path, /another program/)
  }))

test('what is not a database is refused', () =>
  inDirectory(async path => {
    writeFileSync(path, 'From the diary of a postrider\n'.repeat(100))
    await refused(path, /damaged or not a database/)
  }))

test('a database cut short is refused', () =>
  inDirectory(async path => {
    await made(path)
    truncateSync(path, 8_192 * 2)
    await refused(path, /damaged/)
  }))

test('a database with a damaged schema is refused', () =>
  inDirectory(async path => {
    await made(path)
    const octets = readFileSync(path)
    octets.fill(0xff, 100, 4_096)
    writeFileSync(path, octets)
    await refused(path, /damaged/)
  }))
