/**
 * Everything moves from SQLite to PostgreSQL and back: a few thousand rows with staged bodies, verified by
 * counts and hashes; a move that is cut off leaves a target that says so and a source that is untouched.
 */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addAccount, addDomain } from '../../src/account/writer.ts'
import { type Acceptance, accept } from '../../src/queue/writer.ts'
import { BODIES, DATABASE, type Folder, openState } from '../../src/server/folder.ts'
import { moveStore } from '../../src/server/move-store.ts'
import { leapDatabase } from '../../src/server/restore-data.ts'
import { type Settings, settingsSchema } from '../../src/server/settings/settings.ts'
import { move, type TableCount } from '../../src/store/move.ts'
import { leftTables, movedTables } from '../../src/store/move-table.ts'
import { StoreError } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { SqliteConnection } from '../../src/world/node/sqlite.ts'
import { findPostgres, noPostgres, type PostgresServer, startPostgres } from '../kit/postgres.ts'
import { clear, newFolder, run, startServer } from '../kit/server.ts'

const MESSAGES = 500
const binaries = findPostgres()

const settingsOf = (data: string): Settings => settingsSchema.parse({ data })

function message(n: number, body: Acceptance['body']): Acceptance {
  const bare = { domain: 'example.org', notify: null, originalRecipient: null, aliasOf: null }
  const delivery = {
    accountId: 1,
    mailboxName: 'INBOX',
    messageId: `m${n}`,
    bodyId: n,
    head: Buffer.from('Return-Path: <>\r\n'),
    sizeOctets: 17 + (body instanceof Uint8Array ? body.length : body.sizeOctets),
    internalDate: n,
    flags: '',
  }
  return {
    id: `m${n}`,
    bodyKey: n,
    origin: 'submission',
    head: Buffer.from('Received: x\r\n'),
    body,
    reversePath: 'jörg@example.org',
    bodyKind: '7BIT',
    utf8: true,
    ret: null,
    envelopeId: n % 2 === 0 ? null : `id ${n}`,
    accountId: 1,
    peer: '[192.0.2.1]',
    receivedAt: 1_700_000_000_000 + n,
    recipients: [
      { address: 'joe@example.org', delivery, ...bare },
      { address: `n${n}@elsewhere.test`, ...bare, domain: 'elsewhere.test' },
    ],
  }
}

/** Accounts, mail in a mailbox and in the queue, every fiftieth body staged. */
async function furnish({ store, world }: Folder): Promise<void> {
  await store.write(addDomain, { name: 'example.org', catchAll: null })
  const verifiers = [{ kind: 'argon2id', verifier: 'v' }] as never
  for (const address of ['joe@example.org', 'jörg@example.org']) {
    await store.write(addAccount, { address, domain: 'example.org', verifiers })
  }
  const accepted: Promise<unknown>[] = []
  for (let n = 1; n <= MESSAGES; n++) {
    const octets = Buffer.from(`Subject: ${n}\r\n\r\n${'\0\xff'.repeat(n % 90)}\r\n`, 'latin1')
    if (n % 50 === 0) {
      const staged = await world.disk.stage()
      for (let part = 0; part < 12; part++) await staged.write(Buffer.alloc(30_000 + n, part))
      await staged.seal()
      const body = { staged: staged.name, sizeOctets: 12 * (30_000 + n) }
      accepted.push(store.write(accept, message(n, body)))
    } else accepted.push(store.write(accept, message(n, new Uint8Array(octets))))
  }
  await Promise.all(accepted)
}

describe('a move to another store', { skip: binaries === undefined && noPostgres }, () => {
  if (binaries === undefined) return
  let postgres: PostgresServer
  let data: string
  let first: readonly TableCount[] = []
  before(async () => {
    postgres = await startPostgres(binaries)
    data = newFolder('move')
    const folder = await openState(settingsOf(data), silent)
    await furnish(folder)
    await folder.close()
  })
  after(async () => {
    clear()
    await postgres?.stop()
  })

  test('every table of the schema is moved or left on purpose', () => {
    const connection = new SqliteConnection(join(data, DATABASE))
    const tables = connection.all<{ name: string }>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'migration'`,
      [],
    )
    connection.close()
    const named = [...movedTables.map(({ name }) => name), ...leftTables]
    assert.deepEqual(tables.map(({ name }) => name).sort(), named.sort())
  })

  test('to PostgreSQL and back, the same rows and bodies, which go on to live there', async () => {
    const to = await postgres.fresh()
    const there = await moveStore(settingsOf(data), to)
    first = there.tables
    const rows = Object.fromEntries(there.tables.map(({ table, rows: count }) => [table, count]))
    assert.equal(rows['recipient'], 2 * MESSAGES)
    assert.equal(rows['body'], MESSAGES)
    assert.equal(there.bodies, MESSAGES / 50)
    await assert.rejects(moveStore(settingsOf(data), to), /is not empty/)

    const folder = await openState({ ...settingsOf(data), database: to }, silent)
    const verifiers = [{ kind: 'argon2id', verifier: 'v' }] as never
    const input = { address: 'new@example.org', domain: 'example.org', verifiers }
    const added = await folder.store.write(addAccount, input)
    assert.equal(added.kind === 'refused' ? added.why : added.id, 3, 'numbers go on')
    await folder.store.write(accept, message(MESSAGES + 1, new Uint8Array([65])))
    await folder.close()

    const back = newFolder('back')
    const again = await moveStore({ ...settingsOf(data), database: to }, `sqlite:${back}`)
    const same = (name: string) =>
      again.tables.find(({ table }) => table === name)?.hash ===
      there.tables.find(({ table }) => table === name)?.hash
    const unlike = movedTables.map(({ name }) => name).filter(name => !same(name))
    assert.deepEqual(unlike, [
      'setting',
      'account',
      'credential',
      'body',
      'message',
      'recipient',
      'mailbox',
      'mailbox_message',
    ])
    assert.equal((await run(['check', '--data', back])).code, 0)
  })

  test('a target whose move was cut off cannot be used, says so, and is made anew by the next', async () => {
    const to = await postgres.fresh()
    const source = await openState(settingsOf(data), silent)
    const target = await openState({ ...settingsOf(data), database: to }, silent)
    let writes = 0
    const failing: typeof target.store = {
      ...target.store,
      write: (writer, input, moved) => {
        if (++writes > 12) return Promise.reject(new StoreError('busy', 'the cable was pulled'))
        return target.store.write(writer, input, moved)
      },
    }
    const ends = [
      { store: source.store, disk: source.world.disk, named: 'here' },
      { store: failing, disk: target.world.disk, named: 'there' },
    ] as const
    await assert.rejects(move(...ends), /cable/)
    await target.close()
    await source.close()
    const settings = { ...settingsOf(data), database: to }
    await assert.rejects(openState(settings, silent), /half of a move \(from here\)/)
    const moved = await moveStore(settingsOf(data), to)
    assert.deepEqual(moved.tables, first, 'the source is as it was')
    await (await openState(settings, silent)).close()
  })

  test('a server goes on where it was, by the command', async () => {
    const server = await startServer()
    const [account] = server.accounts
    assert.ok(account)
    for (const size of [10, 300_000]) {
      const dialogue = await server.smtp()
      await dialogue.command('MAIL FROM:<joe@remote.example>')
      await dialogue.command(`RCPT TO:<${account.address}>`)
      await dialogue.command('DATA')
      const text = `Subject: ${size}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(Math.ceil(size / 72))}.`
      assert.equal((await dialogue.command(text)).code, 250)
      dialogue.end()
    }
    const to = await postgres.fresh()
    const refused = await server.run('migrate-store', '--to', to)
    assert.equal(refused.code, 75, refused.err)
    const before = await server.mail(account)
    assert.equal(before.length, 2)
    assert.equal((await server.stop()).code, 0)
    const moved = await server.run('migrate-store', '--to', to)
    assert.equal(moved.code, 0, moved.out + moved.err)
    assert.match(moved.out, /mailbox_message +2/)
    // As a node that never had the files.
    rmSync(join(server.data, BODIES), { recursive: true })
    const there = await startServer({ data: server.data, set: { database: to } })
    assert.deepEqual(await there.mail(account), before)
    const settings = { ...settingsOf(server.data), database: to }
    await assert.rejects(leapDatabase(settings), /a server runs/)
    // As a node on another machine.
    const elsewhere = { ...settings, data: newFolder('elsewhere') }
    await assert.rejects(leapDatabase(elsewhere), /a server is at work on it/)
    await there.stop()
    assert.ok((await leapDatabase(elsewhere)) > 0)
  })
})
