import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MemoryFault, openMemoryStore } from './memory.ts'
import { reader, StoreError, writer } from './store.ts'

const keep = writer('test.keep', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
})
const names = reader('test.names', async (tx, _: undefined) => {
  const rows = await tx.all<{ name: string }>(
    `SELECT name FROM setting WHERE name NOT LIKE 'database.%' ORDER BY name`,
  )
  return rows.map(({ name }) => name)
})

/** Whether a promise has settled once everything that can run has run. */
async function settled(promise: Promise<unknown>): Promise<string> {
  const later = new Promise<string>(resolve => setImmediate(resolve, 'open'))
  const how = promise.then(
    () => 'done',
    error => (error instanceof StoreError ? error.reason : 'error'),
  )
  return Promise.race([how, later])
}

test('a fault fails one batch whole: with it gone before the commit, with it there after', async () => {
  const cases: [MemoryFault, string, string[]][] = [
    [{ at: 'before commit', how: 'full' }, 'full', []],
    [{ at: 'before commit', how: 'busy' }, 'busy', []],
    [{ at: 'after commit', how: 'broken' }, 'broken', ['a', 'b']],
  ]
  for (const [fault, reason, kept] of cases) {
    const store = await openMemoryStore()
    store.fail(fault)
    const writes = [store.write(keep, 'a'), store.write(keep, 'b')]
    assert.deepEqual(await Promise.all(writes.map(settled)), [reason, reason])
    assert.deepEqual(await store.read(names, undefined), kept)
    await store.write(keep, 'c')
    assert.deepEqual(await store.read(names, undefined), [...kept, 'c'])
    await store.close()
  }
})

test('a crash settles nothing, and a restart finds what was committed', async () => {
  for (const [at, kept] of [
    ['before commit', ['a']],
    ['after commit', ['a', 'b']],
  ] as const) {
    const store = await openMemoryStore()
    await store.write(keep, 'a')
    store.fail({ at, how: 'crash' })
    assert.equal(await settled(store.write(keep, 'b')), 'open')
    assert.equal(await settled(store.write(keep, 'c')), 'open')
    assert.equal(await settled(store.read(names, undefined)), 'open')
    const again = await store.restart()
    assert.deepEqual(await again.read(names, undefined), kept)
    await again.close()
  }
})

test('a crash in the midst of a batch undoes it', async () => {
  const store = await openMemoryStore()
  const write = store.write(keep, 'a')
  await Promise.resolve()
  store.crash()
  assert.equal(await settled(write), 'open')
  const again = await store.restart()
  assert.deepEqual(await again.read(names, undefined), [])
  await again.close()
})

test('a power that is kept beyond its call does nothing', async () => {
  const store = await openMemoryStore()
  const leak = reader('test.leak', async (tx, _: undefined) => {
    kept = () => tx.all('SELECT 1')
  })
  let kept: (() => Promise<unknown>) | undefined
  await store.read(leak, undefined)
  await assert.rejects(kept?.() ?? Promise.resolve(), /has ended/)
  await store.close()
})

test('commits that change something are counted, shown and made to fail by their number', async () => {
  const seen: string[] = []
  let stopped = 0
  const store = await openMemoryStore({
    faultAt: commit => (commit === 3 ? { at: 'after commit', how: 'crash' } : undefined),
    committed: async (tx, commit) => {
      const row = await tx.get<{ count: number }>(
        `SELECT count(*) AS count FROM setting WHERE name NOT LIKE 'database.%'`,
      )
      seen.push(`${commit}: ${row?.count}`)
    },
    stopped: () => stopped++,
  })
  const nothing = writer('test.nothing', async (tx, _: undefined) => {
    await tx.run(`DELETE FROM setting WHERE name = 'nobody'`)
  })
  await store.write(keep, 'a')
  await store.write(nothing, undefined)
  await store.write(keep, 'b')
  assert.equal(stopped, 0)
  assert.equal(await settled(store.write(keep, 'c')), 'open')
  assert.equal(stopped, 1)
  const again = await store.restart()
  await again.write(keep, 'd')
  assert.deepEqual(seen, ['1: 1', '2: 2', '3: 3', '4: 4'])
  assert.equal(again.changes, 4)
  await again.close()
})
