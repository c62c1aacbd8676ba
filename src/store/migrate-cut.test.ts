/**
 * An upgrade that is cut off: the process is killed behind any statement of it, or the machine stops while its
 * log is written. What is left is the old database or the new one, whole, and the next start goes on from it.
 *
 * What SIGKILL leaves is what the kernel has of the files: a copy of them, taken at that moment.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SqliteConnection } from '../world/node/sqlite.ts'
import { readShipped } from '../world/node/store-file.ts'
import { findings } from './check.ts'
import { sqlite } from './dialect.ts'
import { MemoryStore } from './memory.ts'
import { checksum, migrate, migrations } from './migrate.ts'

const place = mkdtempSync(join(tmpdir(), 'postrider-migrate-cut-'))
after(() => rmSync(place, { recursive: true }))

/** Something of everything that version 1 knew: mail kept, mail that waits, mail long settled. */
const ROWS = `
  INSERT INTO domain VALUES ('a.test', NULL, 'rows', 1);
  INSERT INTO account VALUES (1, 'anna@a.test', 0, 1), (2, 'bob@a.test', 0, 1);
  INSERT INTO credential VALUES (1, 'argon2id', '$x', 1);
  INSERT INTO alias VALUES ('team@a.test', 'anna@a.test', 'rows', 1);
  INSERT INTO body VALUES (1, 5, x'48656c6c6f', NULL), (2, 3, x'416263', NULL);
  INSERT INTO message VALUES ('m1', 1, x'4831', 7, 'mx', '', '7BIT', 0, NULL, NULL, NULL, 'p', 1, 1, NULL),
    ('m2', NULL, x'4832', 5, 'mx', 'x@y.test', '7BIT', 0, NULL, NULL, 1, 'p', 1, 0, 2);
  INSERT INTO recipient VALUES
    ('m1', 0, 'x@y.test', 'y.test', NULL, NULL, NULL, 'queued', 5, NULL, 1, '4.0.0', 'r', NULL, NULL, NULL),
    ('m2', 0, 'anna@a.test', 'a.test', NULL, NULL, NULL, 'delivered', 2, NULL, 0, '2.0.0', 'r', NULL, NULL, 2);
  INSERT INTO attempt VALUES ('m1', 0, 3, 'deferred', '4.0.0', NULL, 'r', NULL);
  INSERT INTO mailbox VALUES (1, 1, 'INBOX', 1, 3, 2), (2, 2, 'INBOX', 1, 1, 1);
  INSERT INTO mailbox_message VALUES (1, 1, 1, 'm2', 2, x'4832', 5, '', 2), (1, 2, 2, 'm2', 2, x'4832', 5, '\\Deleted \\Seen', 2);
`

/** The database of an old version, as its program left it. */
function oldDatabase(version: number): string {
  const folder = join(place, `version-${version}`)
  mkdirSync(folder)
  const connection = new SqliteConnection(join(folder, 'mail.db'))
  connection.execute(`PRAGMA synchronous = OFF; PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
    PRAGMA application_id = ${0x504f5354};
    CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL)`)
  for (const { version: step, name, file } of migrations.slice(0, version)) {
    const text = readShipped(file)
    connection.execute(sqlite.schema(text))
    connection.run('INSERT INTO migration VALUES (?1, ?2, ?3, 0)', [step, name, checksum(text)])
    if (step === 1) connection.execute(ROWS)
  }
  connection.execute(`PRAGMA user_version = ${version}`)
  connection.close()
  return folder
}

/** A connection that has its files copied behind each statement that changes something. */
function watched(connection: SqliteConnection, behind: () => void): SqliteConnection {
  return new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...values: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, values)
        if (name === 'execute' || name === 'run') behind()
        return result
      }
    },
  })
}

/** Opens what is left, as the next start does; the version that was found there. */
async function goOn(folder: string): Promise<number> {
  const path = join(folder, 'mail.db')
  const connection = new SqliteConnection(path)
  connection.execute('PRAGMA synchronous = OFF')
  const found = connection.get<{ user_version: number }>('PRAGMA user_version', [])
  migrate(connection, path, 9)
  const store = new MemoryStore(connection, { now: () => 9 }, { commits: 0 })
  assert.deepEqual(await findings(store), [])
  const count = (sql: string) => Object.values(connection.get(sql, []) ?? {})[0]
  assert.equal(count('SELECT count(*) FROM mailbox_message'), 2)
  assert.equal(count(`SELECT count(*) FROM recipient WHERE state = 'queued'`), 1)
  assert.equal(count('SELECT count(*) FROM migration'), migrations.length)
  await store.close()
  rmSync(folder, { recursive: true })
  return found?.user_version ?? 0
}

/** The version, and behind which statements it is killed: each one, or of very many some. */
const UPGRADES = [
  [1, 4],
  [7, 1],
  [migrations.length - 1, 1],
] as const

for (const [version, every] of UPGRADES) {
  test(`an upgrade from version ${version} that is killed behind any statement goes on`, async () => {
    const source = oldDatabase(version)
    const left: string[] = []
    const connection = new SqliteConnection(join(source, 'mail.db'))
    let statements = 0
    const copy = () => {
      if (statements++ % every !== 0) return
      const to = join(place, `${version}-${left.length}`)
      cpSync(source, to, { recursive: true })
      left.push(to)
    }
    migrate(watched(connection, copy), 'the copy', 9)
    // The last was COMMIT.
    while (statements % every !== 1 % every) copy()
    const log = readFileSync(join(source, 'mail.db-wal'))
    const torn = join(place, `${version}-torn`)
    cpSync(source, torn, { recursive: true })
    connection.close()

    const versions: number[] = []
    for (const folder of left) versions.push(await goOn(folder))
    // Behind every statement but COMMIT it is the old one.
    assert.deepEqual([...new Set(versions)], [version, migrations.length])
    assert.equal(versions.filter(found => found === version).length, versions.length - 1)
    assert.ok(every * versions.length >= 2 * (migrations.length - version))

    // The machine stops: the log is there up to some octet, and behind it is whatever was there.
    for (let part = 0; part <= 8; part++) {
      const folder = join(place, `${version}-torn-${part}`)
      cpSync(torn, folder, { recursive: true })
      rmSync(join(folder, 'mail.db-shm'), { force: true })
      const cut = Math.floor((log.length * part) / 8)
      const tail = part % 2 === 0 ? Buffer.alloc(0) : Buffer.alloc(log.length - cut, 0xa5)
      writeFileSync(join(folder, 'mail.db-wal'), Buffer.concat([log.subarray(0, cut), tail]))
      const found = await goOn(folder)
      assert.equal(found, part === 8 ? migrations.length : version)
    }
  })
}
