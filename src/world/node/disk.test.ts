/** Staged bodies on a real directory. */
import assert from 'node:assert/strict'
import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Disk } from '../disk.ts'
import { nodeDisk } from './disk.ts'

let directory: string
let disk: Disk

before(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'postrider-')), 'bodies')
  disk = await nodeDisk(directory)
})
after(() => rm(join(directory, '..'), { recursive: true }))

async function whole(name: string, from: number, to: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of disk.read(name, from, to)) {
    assert.ok(chunk.length <= 262_144)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function names(): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of disk.list()) found.push(name)
  return found.sort()
}

test('what is written in odd pieces is read back octet for octet, whole and in part', async () => {
  const content = Buffer.alloc(1_000_003)
  for (let i = 0; i < content.length; i++) content[i] = (i * 31) % 251
  const body = await disk.stage()
  for (let from = 0; from < content.length; from += 77_777) {
    const piece = Buffer.from(content.subarray(from, from + 77_777))
    await body.write(piece)
    piece.fill(0)
  }
  await body.seal()
  assert.ok((await whole(body.name, 0, content.length)).equals(content))
  assert.ok((await whole(body.name, 262_140, 262_150)).equals(content.subarray(262_140, 262_150)))
  assert.equal(statSync(join(directory, body.name)).mode & 0o777, 0o600)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  await assert.rejects(whole(body.name, 0, content.length + 1), /ends at/)
  await disk.remove(body.name)
  await disk.remove(body.name)
  await assert.rejects(whole(body.name, 0, 1), { code: 'ENOENT' })
})

test('many seals at once all become durable, and an abort leaves nothing', async () => {
  const before = await names()
  const bodies = await Promise.all(Array.from({ length: 20 }, () => disk.stage()))
  await Promise.all(
    bodies.map(async (body, i) => {
      await body.write(Buffer.alloc(1000, i))
      if (i % 2 === 0) await body.seal()
      else await body.abort()
    }),
  )
  const kept = bodies.filter((_, i) => i % 2 === 0).map(body => body.name)
  assert.deepEqual(await names(), [...before, ...kept].sort())
  for (const name of kept) await disk.remove(name)
})

test('a name is never a path', async () => {
  assert.throws(() => disk.read('../secret', 0, 1), /not the name/)
  await assert.rejects(disk.remove('../../etc/passwd'), /not the name/)
})

test('a body that was removed, cut or replaced while it was written is not sealed', async () => {
  const blows = [
    (path: string) => rmSync(path),
    (path: string) => truncateSync(path, 500_000),
    (path: string) => {
      rmSync(path)
      writeFileSync(path, Buffer.alloc(600_000))
    },
  ]
  for (const blow of blows) {
    const body = await disk.stage()
    await body.write(Buffer.alloc(600_000))
    blow(join(directory, body.name))
    await assert.rejects(body.seal(), /was removed or cut while it was written/)
    await body.abort()
  }
  assert.deepEqual(await names(), [])
})

test('nothing is written after the seal', async () => {
  const body = await disk.stage()
  await body.seal()
  await assert.rejects(body.write(Buffer.from('x')), /after its end/)
  await body.abort()
})
