/**
 * Several nodes on one real PostgreSQL: claims that never overlap, UIDs that never repeat, edits that
 * everyone sees, wake-ups, and the faults of a database: a session that is ended in mid-transaction, a
 * network that is cut, deadlocks, and the server killed under load and started again.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAccounts } from '../../src/account/open.ts'
import { deliver } from '../../src/mailbox/writer.ts'
import { claim, claimAsked } from '../../src/queue/claim.ts'
import { identities } from '../../src/queue/id.ts'
import { nextDueIn, pendingFor } from '../../src/queue/reader.ts'
import { accept, settle } from '../../src/queue/writer.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { everything, reader, type Store, StoreError, writer } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, type PostgresServer, startPostgres } from '../kit/postgres.ts'
import { openProxy } from '../kit/proxy.ts'

type Acceptance = Parameters<(typeof accept)['run']>[1][number]

const binaries = findPostgres()

/** Runs a test with so many nodes on a schema of its own. */
function together(count: number, run: (stores: Store[], url: string) => Promise<void>) {
  return async () => {
    const url = await server.fresh()
    const stores: Store[] = []
    for (let n = 0; n < count; n++) stores.push(await node(url))
    try {
      await run(stores, url)
    } finally {
      await Promise.all(stores.map(store => store.close()))
    }
  }
}

function node(url: string): Promise<Store> {
  return openPostgresStore({ url, clock: nodeClock, random: nodeRandom, log: silent })
}

let server: PostgresServer

const keep = writer('nodes.keep', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
})
/** Waits for no answer: its COMMIT leaves together with its INSERT. */
const keepUnheard = writer('nodes.keepUnheard', (tx, name: string) =>
  tx.many('INSERT INTO setting (name, value) VALUES (?1, ?2)', [[name, 'x']]),
)
const kept = reader('nodes.kept', async (tx, _: null) => {
  const rows = await tx.all<{ name: string }>(
    `SELECT name FROM setting WHERE name NOT LIKE 'database.%' ORDER BY name`,
  )
  return rows.map(({ name }) => name)
})
/** Touches two rows in the order given, with a moment between: two of these lock each other out. */
const touch = writer('nodes.touch', async (tx, names: readonly string[]) => {
  for (const name of names) {
    await tx.run(`UPDATE setting SET value = value || 'x' WHERE name = ?1`, name)
    await sleep(100)
  }
})
const nap = reader('nodes.nap', async (tx, seconds: number) => {
  await tx.all('SELECT pg_sleep(?1)', seconds)
})
const sleepAndKeep = writer('nodes.sleepAndKeep', async (tx, name: string) => {
  await tx.run(`INSERT INTO setting (name, value) VALUES (?1, 'x')`, name)
  await tx.all('SELECT pg_sleep(5)')
})
const textOf = reader('nodes.textOf', async (tx, name: string) => {
  const row = await tx.get<{ value: string }>('SELECT value FROM setting WHERE name = ?1', name)
  return row?.value
})

function acceptance(id: string, bodyKey: number): Acceptance {
  return {
    id,
    bodyKey,
    origin: 'mx',
    head: Buffer.from('h'),
    body: Buffer.from('body'),
    reversePath: '',
    bodyKind: '7BIT',
    utf8: false,
    ret: null,
    envelopeId: null,
    accountId: null,
    peer: '',
    receivedAt: 0,
    recipients: [
      {
        address: 'a@b.test',
        domain: 'b.test',
        notify: null,
        originalRecipient: null,
        aliasOf: null,
      },
    ],
  }
}

async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    error => (error instanceof StoreError ? error.reason : String(error)),
  )
}

describe('several nodes on one PostgreSQL', {
  skip: binaries === undefined && noPostgres,
}, async () => {
  if (binaries === undefined) return
  server = await startPostgres(binaries)
  after(() => server.stop())

  test('nodes that start together make one schema', async () => {
    const url = await server.fresh()
    const stores = await Promise.all(Array.from({ length: 6 }, () => node(url)))
    await Promise.all(stores.map((store, n) => store.write(keep, `${n}`)))
    assert.equal((await stores[0]?.read(kept, null))?.length, 6)
    const slots = new Set(stores.map(store => store.slot()))
    assert.equal(slots.size, 6, 'every node has a slot of its own')
    await Promise.all(stores.map(store => store.close()))
  })

  test(
    'keys made by two nodes in one millisecond never meet',
    together(2, async stores => {
      const clock = { ...nodeClock, now: () => Date.UTC(2026, 0, 1) }
      const made = stores.map(store => identities(clock, nodeRandom, () => store.slot()))
      const keys = made.flatMap(make => Array.from({ length: 100 }, () => make().bodyKey))
      assert.equal(new Set(keys).size, 200)
    }),
  )

  test(
    'claims of many nodes never overlap and leave nothing',
    together(3, async stores => {
      const [first] = stores as [Store]
      await Promise.all(
        Array.from({ length: 300 }, (_, n) => first.write(accept, acceptance(`m${n}`, n + 1))),
      )
      const claimed: string[] = []
      await Promise.all(
        stores.map(async (store, n) => {
          for (let round = 0; round < 40; round++) {
            const input = { node: `n${n}`, leaseMs: 60_000, limit: 7, except: [] }
            const rows = await store.write(claim, input)
            claimed.push(...rows.map(row => row.message_id))
          }
        }),
      )
      assert.equal(claimed.length, 300)
      assert.equal(new Set(claimed).size, 300)
    }),
  )

  test(
    'two nodes that are asked for one domain never carry the same message',
    together(3, async stores => {
      const [first] = stores as [Store]
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => first.write(accept, acceptance(`m${n}`, n + 1))),
      )
      const { recipients } = acceptance('m0', 1)
      const domains = [recipients[0]?.domain ?? '']
      const rounds = stores.map(async (store, i) => {
        const claimed: string[] = []
        for (let after = { messageId: '', n: -1 }; ; ) {
          const input = { node: `n${i}`, leaseMs: 60_000, limit: 7, domains, after }
          const last = (await store.write(claimAsked, input)).map(row => row.message_id)
          if (last.length === 0) return claimed
          claimed.push(...last)
          after = { messageId: last.at(-1) as string, n: 0 }
        }
      })
      const all = (await Promise.all(rounds)).flat()
      assert.equal(new Set(all).size, all.length)
      assert.equal(await first.read(pendingFor, domains), 100 - all.length)
    }),
  )

  test(
    'UIDs given by two nodes at once never repeat and leave no gap',
    together(2, async stores => {
      const item = {
        accountId: 1,
        mailboxName: 'INBOX',
        messageId: 'm',
        bodyId: 1,
        head: Buffer.from('h'),
        sizeOctets: 1,
        internalDate: 0,
        flags: '',
      }
      const given = await Promise.all(
        Array.from({ length: 200 }, (_, n) => (stores[n % 2] as Store).write(deliver, [item])),
      )
      const uids = given.flat().map(({ uid }) => uid)
      assert.deepEqual(
        uids.toSorted((a, b) => a - b),
        Array.from({ length: 200 }, (_, n) => n + 1),
      )
      assert.equal(new Set(given.flat().map(({ mailboxId }) => mailboxId)).size, 1)
    }),
  )

  test(
    'an alias that one node adds is known to the other at once',
    together(2, async stores => {
      const settings = () => ({
        separator: '+',
        hostname: 'h.test',
        cost: { memoryKb: 8, passes: 1 },
      })
      const rooms = []
      for (const store of stores) {
        const world = { clock: nodeClock, random: nodeRandom, log: silent }
        rooms.push(await openAccounts(store, world, settings as never))
      }
      const [a, b] = rooms
      const address = { local: 'list', domain: 'example.org' }
      assert.equal((await b?.directory.resolve(address))?.kind, 'foreign')
      await a?.accounts.addDomain('example.org')
      await a?.accounts.addAlias('list@example.org', ['x@y.test'])
      for (let waits = 0; (await b?.directory.resolve(address))?.kind !== 'alias'; waits++) {
        assert.ok(waits < 40, 'the other node still knows the old state')
        await sleep(5)
      }
    }),
  )

  test(
    'a wake-up reaches every node within 200 ms, and many at once are few notifications',
    together(4, async (stores, url) => {
      const heard = stores.map(() => new Set<string>())
      for (const [n, store] of stores.entries()) store.onWake(topic => heard[n]?.add(topic))
      const startedAt = performance.now()
      for (const [n, store] of stores.entries()) {
        for (let topic = 0; topic < 500; topic++) store.wake(`${n} topic ${topic}`)
      }
      while (heard.some(topics => topics.size < 2_000)) {
        assert.ok(performance.now() - startedAt < 1_000, 'wake-ups are missing')
        await sleep(2)
      }
      const single = performance.now()
      stores[0]?.wake('one')
      while (!heard.every(topics => topics.has('one'))) await sleep(1)
      const tookMs = performance.now() - single
      assert.ok(tookMs < 200, `${tookMs} ms`)
      assert.ok(url.length > 0)
    }),
  )

  test(
    'a listening session that is ended comes back, and says that something may have been missed',
    together(2, async ([a, b]) => {
      const heard: string[] = []
      b?.onWake(topic => heard.push(topic))
      await server.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postrider wakes'`,
      )
      for (let waits = 0; !heard.includes(everything); waits++) {
        assert.ok(waits < 200)
        await sleep(10)
      }
      for (let waits = 0; !heard.includes('again'); waits++) {
        assert.ok(waits < 200)
        a?.wake('again')
        await sleep(10)
      }
    }),
  )

  test(
    'deadlocks are found, and both transactions come through',
    together(2, async stores => {
      const [a, b] = stores as [Store, Store]
      await a.write(keep, 'a')
      await a.write(keep, 'b')
      const outcomes = [a.write(touch, ['a', 'b']), b.write(touch, ['b', 'a'])].map(outcome)
      assert.deepEqual(await Promise.all(outcomes), ['done', 'done'])
      assert.equal(await a.read(textOf, 'a'), 'xxx')
      assert.equal(await b.read(textOf, 'b'), 'xxx')
    }),
  )

  test(
    'sessions that are ended in mid-transaction cost nothing: each write is there once',
    together(2, async stores => {
      let ended = false
      const done: string[] = []
      const others: string[] = []
      const killer = (async () => {
        for (let round = 0; round < 15; round++) {
          // On a busy machine sessions would be ended faster than they come back: first something gets through.
          const before = done.length
          for (let n = 0; n < 100 && (n === 0 || done.length < before + 20); n++) await sleep(30)
          await server.sql(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name LIKE 'postrider %' AND pid <> pg_backend_pid()`,
          )
        }
      })().finally(() => {
        ended = true
      })
      await Promise.all(
        Array.from({ length: 20 }, async (_, caller) => {
          for (let n = 0; !ended; n++) {
            const name = `${caller}/${n}`
            // A name that were stored twice would be a conflict.
            const result = await outcome((stores[caller % 2] as Store).write(keep, name))
            if (result === 'done') done.push(name)
            else others.push(result)
          }
        }),
      )
      await killer
      assert.deepEqual(others, [])
      assert.deepEqual((await stores[0]?.read(kept, null))?.length, done.length)
      assert.ok(done.length > 100, `${done.length}`)
    }),
  )

  test('a network that is cut under load loses and doubles nothing', async () => {
    const url = await server.fresh()
    const proxy = await openProxy(server.port)
    const store = await node(url.replace(`:${server.port}/`, `:${proxy.port}/`))
    const direct = await node(url)
    const results = new Map<string, string>()
    let ended = false
    const cutter = (async () => {
      for (let round = 0; round < 8; round++) {
        await sleep(40)
        proxy.cut()
      }
    })().finally(() => {
      ended = true
    })
    await Promise.all(
      Array.from({ length: 10 }, async (_, caller) => {
        for (let n = 0; !ended; n++) {
          const name = `${caller}/${n}`
          results.set(name, await outcome(store.write(keep, name)))
        }
      }),
    )
    await cutter
    const there = new Set(await direct.read(kept, null))
    for (const [name, result] of results) {
      assert.equal(result, 'done', name)
      assert.ok(there.has(name), `${name} was acknowledged and is lost`)
    }
    assert.equal(there.size, results.size)
    await Promise.all([store.close(), direct.close()])
    await proxy.close()
  })

  test('a COMMIT whose answer is lost is found out, not guessed and not repeated', async () => {
    const url = await server.fresh()
    const proxy = await openProxy(server.port)
    const store = await node(url.replace(`:${server.port}/`, `:${proxy.port}/`))
    const direct = await node(url)
    proxy.deafen()
    const write = outcome(store.write(keepUnheard, 'in doubt'))
    while ((await direct.read(kept, null)).length === 0) await sleep(5)
    proxy.cut()
    assert.equal(await write, 'done')
    assert.deepEqual(await direct.read(kept, null), ['in doubt'])
    await Promise.all([store.close(), direct.close()])
    await proxy.close()
  })

  test('a network that falls silent is noticed, and the COMMIT behind it found out', async () => {
    const url = await server.fresh()
    const proxy = await openProxy(server.port)
    const store = await openPostgresStore({
      url: url.replace(`:${server.port}/`, `:${proxy.port}/`),
      clock: nodeClock,
      random: nodeRandom,
      log: silent,
      statementTimeoutMs: 300,
    })
    proxy.deafen()
    assert.equal(await outcome(store.write(keepUnheard, 'said to nobody')), 'done')
    assert.deepEqual(await store.read(kept, null), ['said to nobody'])
    await store.close()
    await proxy.close()
  })

  test('PostgreSQL killed under load and started again: nothing acknowledged is lost, and work goes on', async context => {
    const killable = await startPostgres(binaries, { fsync: true })
    context.after(() => killable.stop())
    const url = await killable.fresh()
    const stores = [await node(url), await node(url)]
    context.after(() => Promise.all(stores.map(store => store.close())))
    const results = new Map<string, string>()
    const acknowledged = () => [...results].filter(([, result]) => result === 'done')
    let ended = false
    const killer = (async () => {
      for (let round = 0; round < 2; round++) {
        const before = acknowledged().length
        for (let n = 0; n < 200 && acknowledged().length < before + 50; n++) await sleep(30)
        await killable.kill()
        await killable.start()
      }
      await sleep(100)
    })().finally(() => {
      ended = true
    })
    await Promise.all(
      Array.from({ length: 20 }, async (_, caller) => {
        for (let n = 0; !ended; n++) {
          const name = `${caller}/${n}`
          results.set(name, await outcome((stores[caller % 2] as Store).write(keep, name)))
        }
      }),
    )
    await killer
    const there = new Set(await (stores[0] as Store).read(kept, null))
    const refused = [...results].filter(([, result]) => result === 'busy')
    for (const [name] of acknowledged()) assert.ok(there.has(name), `${name} is lost`)
    for (const [name] of refused) assert.ok(!there.has(name), `${name} was refused and is there`)
    assert.ok(acknowledged().length > 50, `${acknowledged().length}`)
    await killable.kill()
    const startedAt = performance.now()
    await Promise.all(stores.map(store => store.close()))
    assert.ok(performance.now() - startedAt < 4_000, 'a store closes without its server, too')
  })

  test(
    'a node whose clock is an hour off leases and retries by the database’s time',
    together(2, async (stores, url) => {
      const clock = { ...nodeClock, now: () => Date.now() + 3_600_000 }
      const wrong = await openPostgresStore({ url, clock, random: nodeRandom, log: silent })
      const [right] = stores as [Store]
      const born = { ...acceptance('m1', 1), receivedAt: clock.now() }
      const lease = { by: 'wrong', leaseMs: 60_000 }
      await wrong.write(accept, {
        ...born,
        recipients: born.recipients.map(r => ({ ...r, lease })),
      })
      const input = { node: 'right', leaseMs: 60_000, limit: 10, except: [] }
      assert.deepEqual(await right.write(claim, input), [], 'a living lease is kept')
      const result = { n: 0, state: 'queued', status: '4.0.0', reason: '', remote: null } as const
      const at = clock.now()
      const settlement = { messageId: 'm1', bodyKey: 1, node: 'wrong', at, notices: [] }
      await wrong.write(settle, { ...settlement, results: [{ ...result, dueAt: at + 30_000 }] })
      for (const store of [right, wrong]) {
        const dueIn = (await store.read(nextDueIn, null)) ?? 0
        assert.ok(dueIn > 20_000 && dueIn <= 30_000, `${dueIn}`)
      }
      await wrong.close()
    }),
  )

  test('a node keeps to its connections, and a statement to its time', async () => {
    const url = await server.fresh()
    const store = await openPostgresStore({
      url,
      clock: nodeClock,
      random: nodeRandom,
      log: silent,
      poolMax: 5,
      statementTimeoutMs: 300,
    })
    const reads = Array.from({ length: 60 }, () => store.read(nap, 0.02))
    await sleep(100)
    const rows = await server.sql(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name LIKE 'postrider %'`,
    )
    assert.ok(Number(rows[0]?.['n']) <= 5, JSON.stringify(rows))
    await Promise.all(reads)
    assert.equal(await outcome(store.read(nap, 5)), 'busy')
    assert.equal(await outcome(store.write(sleepAndKeep, 'late')), 'busy')
    assert.equal(await outcome(store.write(keep, 'after it')), 'done')
    assert.deepEqual(await store.read(kept, null), ['after it'])
    await store.close()
  })

  test('a server that is not there is a clear refusal, soon', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/none'
    const clock = { ...nodeClock, monotonic: () => nodeClock.monotonic() * 50 }
    const opening = openPostgresStore({ url, clock, random: nodeRandom, log: silent })
    await assert.rejects(opening, (error: StoreError) => error.reason === 'busy')
  })
})
