/** One suite, every disk: what src/world/disk.ts promises, proven wherever bodies may be kept. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { chunkDisk } from '../../src/store/chunk-disk.ts'
import { openStore } from '../../src/store/open.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import type { Store } from '../../src/store/store.ts'
import { type Disk, DiskDamaged } from '../../src/world/disk.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeDisk } from '../../src/world/node/disk.ts'
import { objectDisk } from '../../src/world/node/object-disk.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { stemOf, storedOctets } from '../../src/world/sealed-name.ts'
import { verifiedDisk } from '../../src/world/verified-disk.ts'
import { startObjectStore } from '../kit/object-store.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'
import { spoilChunk } from './disk-room.ts'

/** Where bodies are kept, as two nodes see it. */
interface Place {
  readonly nodes: readonly [Disk, Disk]
  /** Turns a bit of a body over, behind everybody's back. */
  spoil(stem: string, octet: number): Promise<void> | void
  /** What another thread may hold of ours until its own collector runs. */
  readonly elsewhereOctets?: number
  /** Of this process's memory, what is the fake's. */
  holdsOctets?(): number
  close(): Promise<void> | void
}

const flip = (octets: Uint8Array, at: number) => {
  octets[at] = (octets[at] as number) ^ 1
}

function inDatabase(stores: readonly [Store, Store]): Place {
  return {
    nodes: [chunkDisk(stores[0], nodeRandom), chunkDisk(stores[1], nodeRandom)],
    spoil: (name, at) =>
      stores[0].write(spoilChunk, { name, n: Math.floor(at / 262_144), octet: at % 262_144 }),
    async close() {
      for (const store of new Set(stores)) await store.close()
    },
  }
}

const places: Record<string, () => Promise<Place>> = {
  async 'a directory'() {
    const directory = mkdtempSync(join(tmpdir(), 'postrider-disks-'))
    return {
      nodes: [await nodeDisk(directory), await nodeDisk(directory)],
      spoil(stem, at) {
        const octets = readFileSync(join(directory, stem))
        flip(octets, at)
        writeFileSync(join(directory, stem), octets)
      },
      close: () => rmSync(directory, { recursive: true }),
    }
  },
  async 'an SQLite file'() {
    const directory = mkdtempSync(join(tmpdir(), 'postrider-disks-'))
    const modules = [new URL('./disk-room.ts', import.meta.url)]
    const path = join(directory, 'mail.db')
    const store = await openStore({ path, modules, clock: nodeClock, log: silent })
    const place = inDatabase([store, store])
    return {
      ...place,
      elsewhereOctets: 32 * MB,
      async close() {
        await place.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
  async 'object storage'() {
    const fake = await startObjectStore(3)
    const at = { ...fake, prefix: 'town/' }
    return {
      nodes: [objectDisk(at), objectDisk(at)],
      spoil(stem, octet) {
        const stored = fake.objects.get(`town/${stem}`)
        if (stored) flip(stored.body, octet)
      },
      holdsOctets: () => fake.octets(),
      close: () => fake.stop(),
    }
  },
}

const binaries = findPostgres()
if (binaries === undefined) {
  test('bodies in PostgreSQL', { skip: noPostgres }, () => {})
} else {
  const server = await sharedPostgres(binaries)
  places[`PostgreSQL (${binaries.version})`] = async () => {
    const url = await server.fresh()
    const options = { url, clock: nodeClock, random: nodeRandom, log: silent }
    return inDatabase([await openPostgresStore(options), await openPostgresStore(options)])
  }
}

// No longer than this: threads that start under the flag compile all that Node has made beforehand.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
setFlagsFromString('--no-expose-gc')

const MB = 1_048_576

/** Octets that differ at every place a mistake could make. */
function octetsOf(size: number): Buffer {
  const seed = randomBytes(4_093)
  const octets = Buffer.alloc(size, seed)
  for (let i = 0; i < size; i += 4_093) octets.writeUInt8((i / 4_093) % 256, i)
  return octets
}

async function keep(disk: Disk, content: Uint8Array, piece = 100_003): Promise<string> {
  const body = await disk.stage()
  for (let from = 0; from < content.length; from += piece) {
    const copy = Buffer.from(content.subarray(from, from + piece))
    await body.write(copy)
    copy.fill(0)
  }
  await body.seal()
  return body.name
}

async function whole(disk: Disk, name: string, from: number, to: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of disk.read(name, from, to)) {
    assert.ok(chunk.length <= 262_144, 'a chunk is at most 256 KB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function listed(disk: Disk): Promise<Map<string, number>> {
  const all = new Map<string, number>()
  for await (const { name, sizeOctets } of disk.list()) all.set(name, sizeOctets)
  return all
}

for (const [where, make] of Object.entries(places)) {
  const placed = (name: string, run: (a: Disk, b: Disk, place: Place) => Promise<void>): void => {
    test(`${where}: ${name}`, async () => {
      const place = await make()
      try {
        await run(verifiedDisk(place.nodes[0]), verifiedDisk(place.nodes[1]), place)
      } finally {
        await place.close()
      }
    })
  }

  placed('what one node has sealed, another reads, whole and at odd places', async (a, b) => {
    for (const size of [1, 262_143, 262_144, 262_145, 3 * MB + 17, 11 * MB + 1]) {
      const content = octetsOf(size)
      const name = await keep(a, content)
      assert.ok((await whole(b, name, 0, size)).equals(content), `${size} octets`)
      for (const [from, to] of [
        [0, 1],
        [size - 1, size],
        [Math.min(262_100, size), Math.min(262_200, size)],
        [size >> 1, Math.min(size, (size >> 1) + 600_000)],
        [size, size],
      ] as const) {
        const slice = await whole(b, name, from, to)
        assert.ok(slice.equals(content.subarray(from, to)), `${size}: ${from} to ${to}`)
      }
      await assert.rejects(whole(b, name, 0, size + 1), DiskDamaged)
    }
  })

  placed('before the seal nobody can read, and an abort leaves nothing', async (a, b) => {
    const kept = await keep(a, octetsOf(1_000))
    const open = await a.stage()
    for (let i = 0; i < 6; i++) await open.write(octetsOf(MB))
    assert.throws(() => open.name, /no name before/)
    for await (const { name } of b.list()) {
      if (name === stemOf(kept)) continue
      // What it is worth without its hashes is nothing, but there it may be, for the sweep to find.
      await assert.rejects(whole(b, `${name}.1.${'A'.repeat(43)}`, 0, 1))
    }
    await open.abort()
    const early = await a.stage()
    await early.abort()
    assert.deepEqual([...(await listed(b)).keys()], [stemOf(kept)])
  })

  placed('a body that was changed or cut is never handed out', async (a, b, place) => {
    const size = 700_000
    const content = octetsOf(size)
    for (const at of [0, 262_144, 699_999, size, size + 40]) {
      const name = await keep(a, content)
      await place.spoil(stemOf(name), at)
      let seen = 0
      const read = async () => {
        for await (const chunk of b.read(name, 0, size)) {
          const end = seen + chunk.length
          assert.ok(content.subarray(seen, end).equals(chunk))
          seen = end
        }
      }
      await assert.rejects(read, DiskDamaged, `octet ${at}`)
      assert.ok(seen <= at)
    }
    const one = await keep(a, content)
    const other = await keep(a, octetsOf(size))
    const swapped = `${stemOf(other)}${one.slice(one.indexOf('.'))}`
    await assert.rejects(
      whole(b, swapped, 0, size),
      DiskDamaged,
      'one body under the name of another',
    )
  })

  placed('all bodies are listed, with sizes, and go when they are removed', async (a, b) => {
    const names: string[] = []
    for (let i = 0; i < 8; i++) names.push(await keep(a, octetsOf(1_000 * (i + 1))))
    const sizes = new Map(
      names.map((name, i) => [stemOf(name), storedOctets(name, 1_000 * (i + 1))]),
    )
    assert.deepEqual(await listed(b), sizes)
    for (const name of names.slice(1)) await b.remove(name)
    await b.remove(names[1] as string)
    assert.deepEqual([...(await listed(a)).keys()], [stemOf(names[0] as string)])
    await assert.rejects(whole(a, names[1] as string, 0, 1_000))
  })

  placed('twenty bodies at once do not mix', async (a, b) => {
    const contents = Array.from({ length: 20 }, (_, i) => octetsOf(300_000 + i))
    const names = await Promise.all(contents.map((c, i) => keep(i % 2 ? a : b, c, 50_000 + i)))
    await Promise.all(
      names.map(async (name, i) => {
        const content = contents[i] as Buffer
        assert.ok((await whole(i % 2 ? b : a, name, 0, content.length)).equals(content))
      }),
    )
    assert.equal(new Set(names).size, 20)
  })

  placed('an upload of 25 MB and its reader hold a few MB in memory', async (a, b, place) => {
    const piece = octetsOf(250_000)
    const held = async (allowed: number) => {
      let octets = Infinity
      // What is garbage is freed by another thread, a moment later; where it is little already, there is no more to wait for.
      for (let i = 0; i < 3 && octets >= allowed; i++) {
        collect()
        await sleep(5)
        octets = process.memoryUsage().arrayBuffers - (place.holdsOctets?.() ?? 0)
      }
      return octets
    }
    const before = await held(0)
    const growth = 14 * MB + (place.elsewhereOctets ?? 0)
    const look = async () => {
      most = Math.max(most, (await held(before + growth)) - before)
    }
    let most = 0
    const body = await a.stage()
    for (let i = 0; i < 100; i++) {
      await body.write(piece)
      if (i % 20 === 5) await look()
    }
    await body.seal()
    let chunks = 0
    for await (const chunk of b.read(body.name, 0, 25_000_000)) {
      assert.ok(chunk.length > 0)
      if (chunks++ % 20 === 5) await look()
    }
    assert.ok(most < growth, `${most} octets`)
  })
}
