/** What becomes of bodies that no row names, where several nodes read them: on both stores. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { chunkDisk } from '../../src/store/chunk-disk.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { sharedDisk } from '../../src/store/shared-disk.ts'
import type { Store } from '../../src/store/store.ts'
import { sweepStaged } from '../../src/store/sweep.ts'
import { type Disk, DiskUnavailable } from '../../src/world/disk.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { verifiedDisk } from '../../src/world/verified-disk.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'
import { nameBody } from './disk-room.ts'

const graceMs = 300
const stores: Record<string, () => Promise<Store>> = {
  'a store in memory': () => openMemoryStore({ now: Date.now }),
}
const binaries = findPostgres()
if (binaries === undefined) test('garbage in PostgreSQL', { skip: noPostgres }, () => {})
else {
  const server = await sharedPostgres(binaries)
  stores['PostgreSQL'] = async () =>
    openPostgresStore({
      url: await server.fresh(),
      clock: nodeClock,
      random: nodeRandom,
      log: silent,
    })
}

async function keep(disk: Disk): Promise<string> {
  const body = await disk.stage()
  await body.write(Buffer.from('nine octs'))
  await body.seal()
  return body.name
}

const readable = async (disk: Disk, name: string): Promise<boolean> => {
  try {
    for await (const chunk of disk.read(name, 0, 9)) assert.equal(String(chunk), 'nine octs')
    return true
  } catch {
    return false
  }
}

for (const [where, open] of Object.entries(stores)) {
  test(`${where}: a body goes a grace time after nothing names it any more, and not before`, async () => {
    const store = await open()
    const disk = sharedDisk(verifiedDisk(chunkDisk(store, nodeRandom)), store, nodeClock, graceMs)
    // The clock of a node may be anywhere.
    const clock = { ...nodeClock, now: () => Date.now() + 3_600_000 }
    const swept = () => sweepStaged({ store, disk, clock, stagedGraceMs: 0 })
    const kept = await keep(disk)
    await store.write(nameBody, { id: 1, staged: kept })
    const left = await keep(disk)
    const marked = await keep(disk)
    assert.equal(await swept(), 0)
    await store.write(nameBody, { id: 2, staged: marked })
    await sleep(graceMs + 20)
    assert.equal(await swept(), 1)
    assert.deepEqual(
      [await readable(disk, kept), await readable(disk, left), await readable(disk, marked)],
      [true, false, true],
    )

    // One is let go as it should be; the process that let the other go died before it could say so.
    await store.write(nameBody, { id: 1, staged: null })
    await disk.remove(kept)
    await store.write(nameBody, { id: 2, staged: null })
    assert.equal(await swept(), 0)
    assert.ok((await readable(disk, kept)) && (await readable(disk, marked)))
    await sleep(graceMs + 20)
    assert.equal(await swept(), 2)
    for await (const { name } of disk.list()) assert.fail(name)
    await store.close()
  })

  test(`${where}: hundreds of bodies are swept by the page`, async () => {
    const store = await open()
    const own = verifiedDisk(chunkDisk(store, nodeRandom))
    const disk = sharedDisk(own, store, nodeClock, 0)
    const names = await Promise.all(Array.from({ length: 450 }, () => keep(own)))
    for (const [id, staged] of names.slice(0, 3).entries()) {
      await store.write(nameBody, { id, staged })
    }
    assert.equal(await sweepStaged({ store, disk, clock: nodeClock }), 447)
    for (const name of names.slice(0, 3)) assert.ok(await readable(disk, name))
    await store.close()
  })
}

test('a body that took too long to arrive is not sealed: a sweep may be at it', async () => {
  const store = await openMemoryStore()
  let now = 0
  const clock = { ...nodeClock, monotonic: () => now }
  const disk = sharedDisk(chunkDisk(store, nodeRandom), store, clock, 1_000)
  const body = await disk.stage()
  await body.write(Buffer.from('nine octs'))
  now = 750
  await assert.rejects(body.seal(), DiskUnavailable)
  await body.abort()
  for await (const { name } of disk.list()) assert.fail(name)
  await store.close()
})
