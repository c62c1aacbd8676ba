/** One suite, every store: what src/store/store.ts promises, proven on each of them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openMemoryStore } from '../../src/store/memory.ts'
import { openStore } from '../../src/store/open.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { type Store, StoreError, writer } from '../../src/store/store.ts'
import { takeChunk } from '../../src/wire/chunks.ts'
import type { Clock } from '../../src/world/clock.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'
import * as room from './room.ts'

/** A place where a store can be opened, closed and opened again. */
interface Place {
  open(): Promise<Store>
  /** Whether what was written is there when it is opened again. */
  readonly keeps: boolean
  /** The time in SQL, where it is the world's and not the database's own. */
  readonly now?: number
  clear(): void
}

const now = 1_790_000_000_001
const clock: Clock = {
  now: () => now,
  monotonic: () => 0,
  after: () => ({ cancel() {} }),
}

const places: Record<string, () => Place | Promise<Place>> = {
  memory: () => ({
    open: () => openMemoryStore({ now: () => now }),
    keeps: false,
    now,
    clear() {},
  }),
  'an SQLite file': () => {
    const directory = mkdtempSync(join(tmpdir(), 'postrider-store-'))
    const modules = [new URL('./room.ts', import.meta.url)]
    return {
      open: () => openStore({ path: join(directory, 'mail.db'), modules, clock, log: silent }),
      keeps: true,
      now,
      clear: () => rmSync(directory, { recursive: true }),
    }
  },
}

const binaries = findPostgres()
if (binaries === undefined) {
  test('a store in PostgreSQL', { skip: noPostgres }, () => {})
} else {
  const server = await sharedPostgres(binaries)
  places[`PostgreSQL (${binaries.version})`] = async () => {
    const url = await server.fresh()
    const options = { url, clock: nodeClock, random: nodeRandom, log: silent }
    return { open: () => openPostgresStore(options), keeps: true, clear() {} }
  }
}

/** The reason of a StoreError, the message of another error, or 'done'. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'done'
  } catch (error) {
    return error instanceof StoreError ? error.reason : (error as Error).message
  }
}

for (const [where, make] of Object.entries(places)) {
  const stored = (name: string, run: (store: Store, place: Place) => Promise<void>): void => {
    test(name, async () => {
      const place = await make()
      const store = await place.open()
      try {
        await run(store, place)
      } finally {
        await store.close()
        place.clear()
      }
    })
  }

  describe(`a store in ${where}`, () => {
    stored('a write is there for every reader behind it', async store => {
      assert.equal(await store.write(room.keep, { name: 'a', value: 'b' }), 'a')
      assert.equal(await store.read(room.get, 'a'), 'b')
      assert.equal(await store.read(room.get, 'missing'), undefined)
      assert.deepEqual(await store.read(room.names, undefined), [{ name: 'a' }])
      assert.deepEqual(await store.read(room.farNames, undefined), [{ name: 'a' }])
    })

    stored('writes that come together are taken together, in order', async store => {
      const inputs = ['a', 'b', 'c'].map(name => ({ name }))
      const outputs = await Promise.all(inputs.map(input => store.write(room.keepMany, input)))
      assert.deepEqual(
        outputs,
        inputs.map(({ name }) => ({ name, together: 3 })),
      )
    })

    stored('one bad input fails alone, its neighbours do not notice', async store => {
      const writes = ['a', 'bad', 'c'].map(name => store.write(room.keepMany, { name }))
      assert.deepEqual(await Promise.all(writes.map(outcome)), ['done', 'a bad one', 'done'])
      assert.deepEqual(await store.read(room.names, undefined), [{ name: 'a' }, { name: 'c' }])
    })

    stored('what a writer did before it threw is gone', async store => {
      const writes = [
        store.write(room.keep, { name: 'a', value: '' }),
        store.write(room.keepAndThrow, { name: 'b' }),
        store.write(room.keep, { name: 'c', value: '' }),
        store.write(room.keepAndForget, { name: 'd' }),
      ]
      assert.deepEqual(await Promise.all(writes.map(outcome)), [
        'done',
        'no b today',
        'done',
        'writer test.keepAndForget: 0 outputs, not 1',
      ])
      assert.deepEqual(await store.read(room.names, undefined), [{ name: 'a' }, { name: 'c' }])
    })

    stored('a constraint of the schema is a conflict', async store => {
      const writes = ['1', '2'].map(value => store.write(room.keep, { name: 'a', value }))
      assert.deepEqual(await Promise.all(writes.map(outcome)), ['done', 'conflict'])
      assert.equal(await store.read(room.get, 'a'), '1')
    })

    stored('writers of different names keep the order of arrival', async store => {
      const letters = Array.from('abcdefgh')
      await Promise.all(
        letters.map((letter, i) =>
          store.write(i % 3 === 0 ? room.appendLoud : room.append, letter),
        ),
      )
      assert.equal(await store.read(room.get, 'log'), 'AbcDefGh')
    })

    stored(':now is the time of the transaction, but not within a string', async (store, place) => {
      const before = Date.now()
      const kept = await store.write(room.keepTime, 'example.org')
      assert.equal(kept?.origin, ':now')
      if (place.now !== undefined) assert.equal(kept.at, place.now)
      // The database's own clock, which is this machine's, cut to ms.
      else assert.ok(kept.at >= before - 1 && kept.at <= Date.now(), `${kept.at}`)
      assert.equal(kept.half, Math.floor(kept.at / 2))
    })

    stored('octets come back as they went, large ones too', async store => {
      for (const size of [0, 1, 100_000, 3_000_000]) {
        const octets = new Uint8Array(size).map((_, i) => (i * 31) & 0xff)
        const copy = octets.slice()
        const id = await store.write(room.keepBody, { octets: copy }, [copy.buffer])
        assert.equal(copy.byteLength, 0, 'a moved buffer is gone')
        const back = await store.read(room.body, id)
        assert.ok(back !== undefined && Buffer.compare(back, octets) === 0)
      }
    })

    stored('a buffer that is used again comes back behind the write', async (store, place) => {
      const chunk = takeChunk()
      chunk.fill(1).fill(2, 100)
      const lent = chunk.subarray(0, 100)
      const id = await store.write(room.keepBody, { octets: lent }, [lent.buffer as ArrayBuffer])
      assert.equal(chunk.length, 0, 'whoever gathers in it now does so in ours no more')
      const again = takeChunk()
      // The simulation's has no need to.
      if (place.keeps) assert.equal(again.at(-1), 2)
      again.fill(3)
      assert.deepEqual(await store.read(room.body, id), new Uint8Array(100).fill(1))
    })

    stored('octets that were not moved stay the caller’s', async store => {
      const octets = new Uint8Array([1, 2, 3])
      const first = store.write(room.keepBody, { octets })
      const second = store.write(room.keepBody, { octets })
      assert.notEqual(await first, await second)
      assert.deepEqual([...octets], [1, 2, 3])
    })

    stored('hundreds of callers at once all get their own answer', async store => {
      const names = Array.from({ length: 500 }, (_, i) => `name ${i}`)
      const outputs = await Promise.all(
        names.map(name => store.write(room.keep, { name, value: '' })),
      )
      assert.deepEqual(outputs, names)
      assert.equal((await store.read(room.farNames, undefined)).length, 500)
    })

    stored('a reader sees one state from its first statement to its last', async store => {
      const writes: Promise<unknown>[] = []
      for (let i = 0; i < 50; i++) {
        writes.push(store.write(room.keep, { name: `${i}`, value: '' }))
        const [first, second] = await store.read(room.countTwice, undefined)
        assert.equal(first, second)
      }
      await Promise.all(writes)
    })

    stored('readers at once do not disturb each other', async store => {
      await store.write(room.keep, { name: 'a', value: 'b' })
      const reads = Array.from({ length: 20 }, (_, i) =>
        i % 4 === 0 ? outcome(store.read(room.farThrow, 'no')) : store.read(room.get, 'a'),
      )
      assert.deepEqual(
        await Promise.all(reads),
        reads.map((_, i) => (i % 4 === 0 ? 'no' : 'b')),
      )
    })

    stored('an output that cannot be cloned is its writer’s error', async store => {
      const writes = [
        store.write(room.uncloneable, 'a'),
        store.write(room.keep, { name: 'b', value: '' }),
      ]
      const [bad, good] = await Promise.all(writes.map(outcome))
      assert.match(bad ?? '', /could not be cloned/)
      assert.equal(good, 'done')
    })

    stored('an input that cannot be cloned fails alone', async store => {
      const input = { name: 'a', value: '', run: () => 1 }
      const writes = [
        outcome(store.write(room.keep, input)),
        outcome(store.write(room.keep, { name: 'b', value: '' })),
      ]
      const [bad, good] = await Promise.all(writes)
      assert.match(bad ?? '', /could not be cloned/)
      assert.equal(good, 'done')
    })

    stored('a missing value is an error, never NULL', async store => {
      assert.match(
        await outcome(store.write(room.tooFewValues, undefined)),
        /takes 2 values, not 1/,
      )
    })

    stored('a closed store says so, and what was called before is done', async (store, place) => {
      const last = store.write(room.keep, { name: 'last', value: 'one' })
      await store.close()
      assert.equal(await outcome(last), 'done')
      assert.equal(await outcome(store.write(room.keep, { name: 'x', value: '' })), 'closed')
      assert.equal(await outcome(store.read(room.names, undefined)), 'closed')
      assert.equal(await outcome(store.read(room.farNames, undefined)), 'closed')
      if (!place.keeps) return
      const again = await place.open()
      assert.equal(await again.read(room.get, 'last'), 'one')
      await again.close()
    })
  })
}

test('a writer that no module exports is an error of its callers alone', async () => {
  const place = (await places['an SQLite file']?.()) as Place
  const store = await place.open()
  const unknown = writer('test.unknown', async () => {})
  const writes = [store.write(unknown, undefined), store.write(room.keep, { name: 'a', value: '' })]
  const [bad, good] = await Promise.all(writes.map(outcome))
  assert.match(bad ?? '', /no module .* named 'test.unknown'/)
  assert.equal(good, 'done')
  assert.match(await outcome(store.read(room.forbidden, undefined)), /readonly|broken/)
  await store.close()
  place.clear()
})

test('a committer whose thread dies fails its batch, and the next write finds another', async () => {
  const place = (await places['an SQLite file']?.()) as Place
  const store = await place.open()
  assert.equal(await outcome(store.write(room.endThread, 'a')), 'broken')
  await store.write(room.keep, { name: 'b', value: '' })
  assert.deepEqual(await store.read(room.names, undefined), [{ name: 'b' }])
  await store.close()
  place.clear()
})
