import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryStore, openMemoryStore } from '../store/memory.ts'
import { reader, writer } from '../store/store.ts'
import type { Source } from '../wire/effect.ts'
import type { Disk } from '../world/disk.ts'
import type { Value } from '../world/sql.ts'
import { content } from './content.ts'
import type { Delivery } from './deliver.ts'
import { expunge } from './expunge.ts'
import { MaildropLocks } from './lock.ts'
import { messageByUid, openMailbox, openSmallMailbox, type StoredMessage } from './reader.ts'
import { deliver, releaseBodies } from './writer.ts'

const run = writer('test.run', (tx, [sql, ...values]: [string, ...Value[]]) =>
  tx.run(sql, ...values),
)
const all = reader('test.all', (tx, sql: string) => tx.all<Record<string, Value>>(sql))
const release = writer(
  'test.release',
  (tx, references: { readonly bodyId: number; readonly messageId: string }[]) =>
    releaseBodies(tx, references),
)

async function body(store: MemoryStore, id: number, octets: Uint8Array | string): Promise<void> {
  if (typeof octets === 'string') {
    await store.write(run, ['INSERT INTO body VALUES (?1, ?2, NULL, ?3)', id, 10, octets])
  } else {
    await store.write(run, [
      'INSERT INTO body VALUES (?1, ?2, ?3, NULL)',
      id,
      octets.length,
      octets,
    ])
  }
}

function queued(store: MemoryStore, id: string, bodyId: number | null): Promise<number> {
  const sql = `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8, ret,
      envelope_id, account_id, peer, received_at, unsettled, settled_at) VALUES
    (?1, ?2, ?3, 0, 'mx', '', '7BIT', 0, NULL, NULL, NULL, 'x', 0, 1, NULL)`
  return store.write(run, [sql, id, bodyId, Buffer.from('')])
}

const HEAD = Buffer.from('Delivered-To: joe\r\n')

function item(changes: Partial<Delivery> = {}): Delivery {
  return {
    accountId: 1,
    mailboxName: 'INBOX',
    messageId: 'm1',
    bodyId: 1,
    head: HEAD,
    sizeOctets: 29,
    internalDate: 5,
    flags: '',
    ...changes,
  }
}

async function wholeOf(source: Source): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source instanceof Uint8Array ? [source] : source) parts.push(part)
  return Buffer.concat(parts)
}

function disk(files: Record<string, string>): Disk {
  return {
    stage: () => Promise.reject(new Error('not here')),
    remove: () => Promise.resolve(),
    async *read(name, from, to) {
      const file = files[name]
      if (file === undefined) throw new Error('no such body')
      yield Buffer.from(file.slice(from, to))
    },
    async *list() {},
  }
}

test('a batch gets one UID and one MODSEQ for each message, in order, and the mailbox grows once', async () => {
  const store = await openMemoryStore({ now: () => 1_767_225_600_999 })
  const got = await store.write(deliver, [
    item(),
    item({ accountId: 2 }),
    item({ mailboxName: 'Junk' }),
    item(),
  ])
  assert.deepEqual(
    got.map(({ uid, modSeq }) => [uid, modSeq]),
    [
      [1, 2],
      [1, 2],
      [1, 2],
      [2, 3],
    ],
  )
  assert.equal(got[0]?.mailboxId, got[3]?.mailboxId)
  assert.equal(new Set(got.map(({ mailboxId }) => mailboxId)).size, 3)
  const rows = await store.read(
    all,
    'SELECT name, uid_validity, typeof(uid_validity) AS type, uid_next, mod_seq FROM mailbox ORDER BY id',
  )
  const inbox = { name: 'INBOX', uid_validity: 1_767_225_600, type: 'integer' }
  assert.deepEqual(
    rows.map(row => ({ ...row })),
    [
      { ...inbox, uid_next: 3, mod_seq: 3 },
      { ...inbox, name: 'Junk', uid_next: 2, mod_seq: 2 },
      { ...inbox, uid_next: 2, mod_seq: 2 },
    ],
  )
  await store.close()
})

test('UIDs grow on where all messages were expunged', async () => {
  const store = await openMemoryStore()
  await body(store, 1, Buffer.from('x'))
  const [first] = await store.write(deliver, [item()])
  await expunge(store, first?.mailboxId ?? 0, [1], () => {})
  const [second] = await store.write(deliver, [item()])
  assert.equal(second?.uid, 2)
  assert.ok((second?.modSeq ?? 0) > (first?.modSeq ?? 0) + 1)
  await store.close()
})

for (const at of ['before commit', 'after commit'] as const) {
  test(`a crash ${at} of a delivery gives no UID twice and leaves no message without one`, async () => {
    let store = await openMemoryStore()
    await store.write(deliver, [item()])
    store.fail({ at, how: 'crash' })
    void store.write(deliver, [item()])
    // The store in memory settles by microtasks alone: these are more than it takes.
    for (let n = 0; n < 100; n++) await Promise.resolve()
    store = await store.restart()
    const listed = await store.read(openMailbox, { accountId: 1, name: 'INBOX' })
    const [next] = await store.write(deliver, [item()])
    const there = at === 'after commit' ? [1, 2] : [1]
    assert.deepEqual([...(listed?.uids ?? [])], there)
    assert.equal(next?.uid, there.length + 1)
    await store.close()
  })
}

test('a mailbox that nobody delivered to does not exist', async () => {
  const store = await openMemoryStore()
  assert.equal(await store.read(openMailbox, { accountId: 1, name: 'INBOX' }), undefined)
  await store.close()
})

test('a mailbox of a hundred messages is read at once, and a larger one by the reader’s thread', async () => {
  const store = await openMemoryStore()
  const name = { accountId: 1, name: 'INBOX' }
  assert.equal(await store.read(openSmallMailbox, name), undefined)
  await store.write(
    deliver,
    Array.from({ length: 100 }, (_, n) => item({ sizeOctets: n + 1 })),
  )
  const small = await store.read(openSmallMailbox, name)
  assert.deepEqual(small, await store.read(openMailbox, name))
  assert.equal(typeof small === 'object' ? small.sizes.at(-1) : small, 100)
  await store.write(deliver, [item()])
  assert.equal(await store.read(openSmallMailbox, name), 'large')
  await store.close()
})

test('a mailbox of 10,000 messages is listed whole and in order', async () => {
  const store = await openMemoryStore()
  const items = Array.from({ length: 10_000 }, (_, n) => item({ sizeOctets: n + 1 }))
  await store.write(deliver, items)
  const listed = await store.read(openMailbox, { accountId: 1, name: 'INBOX' })
  assert.equal(listed?.uids.length, 10_000)
  assert.equal(listed?.uids[9_999], 10_000)
  assert.equal(listed?.sizes[4_096], 4_097)
  await store.close()
})

async function stored(store: MemoryStore, octets: Uint8Array | string): Promise<StoredMessage> {
  await body(store, 1, octets)
  const [{ mailboxId, uid } = { mailboxId: 0, uid: 0 }] = await store.write(deliver, [item()])
  return (await store.read(messageByUid, { mailboxId, uid })) as StoredMessage
}

for (const size of [0, 1, 65_536, 65_537, 262_144, 600_000]) {
  test(`head and a body of ${size} octets in the row come out unchanged`, async () => {
    const store = await openMemoryStore()
    const octets = Buffer.from(Array.from({ length: size }, (_, n) => n % 251))
    const message = await stored(store, octets)
    const whole = await wholeOf(content(store, disk({}), message))
    assert.ok(whole.equals(Buffer.concat([HEAD, octets])))
    await store.close()
  })
}

test('a staged body is read from disk', async () => {
  const store = await openMemoryStore()
  const message = await stored(store, 'file1')
  const whole = await wholeOf(content(store, disk({ file1: '0123456789' }), message))
  assert.equal(whole.toString(), 'Delivered-To: joe\r\n0123456789')
  await store.close()
})

for (const [how, files] of [
  ['missing', {}],
  ['torn', { file1: '01234' }],
] as const) {
  test(`a ${how} staged body is an error, never a short message`, async () => {
    const store = await openMemoryStore()
    const message = await stored(store, 'file1')
    await assert.rejects(wholeOf(content(store, disk(files), message)))
    await store.close()
  })
}

test('an expunge removes what it was told, in slices, and lets go of bodies nobody has', async () => {
  const store = await openMemoryStore()
  for (let id = 1; id <= 120; id++) await body(store, id, `file${id}`)
  const items = Array.from({ length: 120 }, (_, n) => item({ bodyId: n + 1, messageId: `m${n}` }))
  const [first] = await store.write(deliver, items)
  await store.write(deliver, [item({ accountId: 2, bodyId: 7 })])
  await queued(store, 'm9', 10)
  await queued(store, 'm10', null)
  const removed: string[] = []
  const uids = Array.from({ length: 110 }, (_, n) => n + 1)
  await expunge(store, first?.mailboxId ?? 0, [...uids, 999], staged => removed.push(...staged))
  assert.equal(removed.length, 108, 'all but the one in another mailbox and the one in the queue')
  assert.ok(!removed.includes('file7') && !removed.includes('file10'))
  assert.ok(removed.includes('file11'))
  const listed = await store.read(openMailbox, { accountId: 1, name: 'INBOX' })
  assert.deepEqual([...(listed?.uids ?? [])], [111, 112, 113, 114, 115, 116, 117, 118, 119, 120])
  assert.equal((await store.read(all, 'SELECT id FROM body')).length, 12)
  await store.close()
})

test('the queue lets go of a body only once no mailbox has it', async () => {
  const store = await openMemoryStore()
  await body(store, 1, 'file1')
  await queued(store, 'm1', 1)
  const reference = [{ bodyId: 1, messageId: 'm1' }]
  assert.deepEqual(await store.write(release, reference), [])
  await store.write(run, ['UPDATE message SET body_id = NULL WHERE id = ?1', 'm1'])
  assert.deepEqual(await store.write(release, reference), ['file1'])
  assert.deepEqual(await store.write(release, []), [])
  await store.close()
})

test('a maildrop is locked once, and free again after release', () => {
  const locks = new MaildropLocks()
  const lock = locks.acquire(1)
  assert.ok(lock)
  assert.equal(locks.acquire(1), undefined)
  assert.ok(locks.acquire(2))
  lock.release()
  const again = locks.acquire(1)
  assert.ok(again)
  lock.release()
  assert.equal(locks.acquire(1), undefined, 'an old release frees nothing of a new owner')
})
