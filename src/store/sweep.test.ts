import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../world/clock.ts'
import type { Disk } from '../world/disk.ts'
import { silent } from '../world/log.ts'
import { openMemoryStore } from './memory.ts'
import { reader, writer } from './store.ts'
import { sweep, sweepRegularly } from './sweep.ts'

const day = 24 * 3_600_000
const now = 1_000 * day
const clock: Clock = { now: () => now, monotonic: () => 0, after: () => ({ cancel() {} }) }

function diskOf(files: Map<string, number>): Disk {
  return {
    stage: () => Promise.reject(new Error('not here')),
    read: () => {
      throw new Error('not here')
    },
    async remove(name) {
      files.delete(name)
    },
    async *list() {
      for (const [name, changedAt] of files) yield { name, sizeOctets: 1, changedAt }
    },
  }
}

const settle = writer('test.settle', async (tx, settled: readonly number[]) => {
  for (const [i, at] of settled.entries()) {
    await tx.run(
      `INSERT INTO message (id, head, size_octets, origin, reverse_path, body_kind, utf8, peer,
         received_at, unsettled, settled_at) VALUES (?1, x'', 0, 'mx', '', '7BIT', 0, 'p', 1, 0, ?2)`,
      `m${i}`,
      at,
    )
    await tx.run(
      `INSERT INTO recipient (message_id, n, address, domain, state, due_at, settled_at)
       VALUES (?1, 0, 'a@b', 'b', 'failed', 1, ?2)`,
      `m${i}`,
      at,
    )
    await tx.run(`INSERT INTO attempt VALUES (?1, 0, 1, 'failed', '5', NULL, 'x', NULL)`, `m${i}`)
  }
})

const counts = reader('test.counts', (tx, _: undefined) =>
  tx.get<object>(
    `SELECT (SELECT count(*) FROM message) AS messages, (SELECT count(*) FROM recipient) AS recipients,
       (SELECT count(*) FROM attempt) AS attempts, (SELECT count(*) FROM body) AS bodies`,
  ),
)

test('messages settled over 30 days ago are forgotten with all their rows, others stay', async () => {
  const store = await openMemoryStore()
  const old = Array.from({ length: 250 }, () => now - 31 * day)
  await store.write(settle, [now - 29 * day, ...old])
  const swept = await sweep({ store, disk: diskOf(new Map()), clock })
  assert.deepEqual(swept, { messages: 250, bodies: 0, files: 0 })
  const left = { messages: 1, recipients: 1, attempts: 1, bodies: 0 }
  assert.deepEqual(await store.read(counts, undefined), left)
  assert.deepEqual(await store.check(), [])
  await store.close()
})

const keepBodies = writer('test.keepBodies', async (tx, count: number) => {
  await tx.many(
    `INSERT INTO body (id, size_octets, octets) VALUES (?1, 9000, zeroblob(9000))`,
    Array.from({ length: count }, (_, i) => [i]),
  )
  await tx.run(`INSERT INTO body (id, size_octets, staged) VALUES (-1, 1, 'named')`)
  await tx.run(
    `INSERT INTO mailbox (id, account_id, name, uid_validity, uid_next, mod_seq) VALUES (1, 1, 'INBOX', 1, 1, 1)`,
  )
  await tx.many(
    `INSERT INTO mailbox_message
       (mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, flags, internal_date)
     VALUES (1, ?1, 1, 'm', ?1, x'', 9000, '', 1)`,
    [[-1], [7], [1_999]],
  )
})

const pages = reader('test.pages', async (tx, _: undefined) => {
  const row = await tx.get<{ page_count: number }>('PRAGMA page_count')
  return row?.page_count ?? 0
})

test('bodies that nothing refers to go, with their pages; what a mailbox keeps stays', async () => {
  const store = await openMemoryStore()
  await store.write(keepBodies, 2_500)
  const before = await store.read(pages, undefined)
  const swept = await sweep({ store, disk: diskOf(new Map()), clock })
  assert.deepEqual(swept, { messages: 0, bodies: 2_498, files: 0 })
  const left = { messages: 0, recipients: 0, attempts: 0, bodies: 3 }
  assert.deepEqual(await store.read(counts, undefined), left)
  assert.ok((await store.read(pages, undefined)) < before / 10)
  await store.close()
})

test('a staged file goes when no row has named it for an hour', async () => {
  const store = await openMemoryStore()
  await store.write(keepBodies, 2_000)
  const files = new Map([
    ['named', 0],
    ['fresh', now - 1_000],
    ['left', now - 3_600_001],
  ])
  const swept = await sweep({ store, disk: diskOf(files), clock })
  assert.equal(swept.files, 1)
  assert.deepEqual([...files.keys()], ['named', 'fresh'])
  await store.close()
})

test('what this life has staged is let be, however far the wall clock has jumped meanwhile', async () => {
  const store = await openMemoryStore()
  const files = new Map([
    ['arriving', 1_000],
    ['given up', 3_600_000],
  ])
  const disk: Disk = {
    ...diskOf(files),
    async *list() {
      for (const [name, restsMs] of files) yield { name, sizeOctets: 1, changedAt: 0, restsMs }
    },
  }
  assert.equal((await sweep({ store, disk, clock })).files, 1)
  assert.deepEqual([...files.keys()], ['arriving'])
  await store.close()
})

test('sweeping goes on by itself, past a failure, until it is stopped', async () => {
  const store = await openMemoryStore()
  const due: (() => void)[] = []
  let cancelled = 0
  const ticking: Clock = {
    ...clock,
    after: (_, run) => {
      due.push(run)
      return { cancel: () => cancelled++ }
    },
  }
  store.fail({ at: 'before commit', how: 'full' })
  const disk = diskOf(new Map([['left', 0]]))
  const sweeping = sweepRegularly({ store, disk, clock: ticking, log: silent })
  while (due.length < 1) await new Promise(resolve => setImmediate(resolve))
  due.shift()?.()
  while (due.length < 1) await new Promise(resolve => setImmediate(resolve))
  for await (const { name } of disk.list()) assert.fail(name)
  sweeping.stop()
  assert.equal(cancelled, 1)
  await store.close()
})
