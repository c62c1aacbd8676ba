/**
 * What breaks between a node and its PostgreSQL: a session that is ended in mid-transaction, a network that is cut or
 * silent, deadlocks, and the server killed under load and started again.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import { everything, type Store, type StoreError } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, sharedPostgres, startPostgres } from '../kit/postgres.ts'
import { openProxy } from '../kit/proxy.ts'
import {
  keep,
  keepUnheard,
  kept,
  nap,
  node,
  outcome,
  sleepAndKeep,
  textOf,
  together,
  touch,
} from './nodes-room.ts'

const binaries = findPostgres()
const server = binaries && (await sharedPostgres(binaries))

describe('nodes and a PostgreSQL that breaks', { skip: server === undefined && noPostgres }, () => {
  if (binaries === undefined || server === undefined) return

  test(
    'a listening session that is ended comes back, and says that something may have been missed',
    together(server, 2, async ([a, b]) => {
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

  test('what a node could not tell the others while it alone was cut off, they hear when it is back', async () => {
    const url = await server.fresh()
    const proxy = await openProxy(server.port)
    const a = await node(url.replace(`:${server.port}/`, `:${proxy.port}/`))
    const b = await node(url)
    const heard: string[] = []
    b.onWake(topic => void heard.push(topic))
    proxy.pull(true)
    proxy.cut()
    await sleep(50)
    a.wake('a password')
    await sleep(50)
    assert.equal(heard.length, 0)
    proxy.pull(false)
    proxy.cut()
    for (let waits = 0; !heard.includes(everything); waits++) {
      assert.ok(waits < 500)
      await sleep(10)
    }
    await Promise.all([a.close(), b.close()])
    await proxy.close()
  })

  test(
    'deadlocks are found, and both transactions come through',
    together(server, 2, async stores => {
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
    together(server, 2, async stores => {
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

  test('connections that rest in a network that has fallen silent are given up with the first that shows it', async () => {
    const url = await server.fresh()
    const proxy = await openProxy(server.port)
    const store = await openPostgresStore({
      url: url.replace(`:${server.port}/`, `:${proxy.port}/`),
      ...{ clock: nodeClock, random: nodeRandom, log: silent, statementTimeoutMs: 300 },
    })
    await Promise.all([1, 2, 3, 4].map(() => store.read(nap, 0.02)))
    proxy.deafen()
    assert.equal(await outcome(store.read(nap, 0)), 'done')
    await store.close()
    await proxy.close()
  })

  test('what waits in vain for a lock that somebody holds is refused in one breath, not one behind the other', async () => {
    const url = await server.fresh()
    const schema = new URL(url).searchParams.get('options')?.split('=')[1] ?? ''
    const options = { clock: nodeClock, random: nodeRandom, log: silent, statementTimeoutMs: 400 }
    const store = await openPostgresStore({ url, ...options })
    const locks = `SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
      WHERE c.relname = 'setting' AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()`
    const holding = server.sql(
      `BEGIN; LOCK TABLE ${schema}.setting IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(12); COMMIT`,
    )
    holding.catch(() => {})
    while ((await server.sql(locks)).length === 0) await sleep(5)
    // One by one by the time of a statement they would take longer than the lock is held.
    const all = Array.from({ length: 40 }, (_, n) => outcome(store.write(keep, `${n}`)))
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['busy']))
    assert.equal((await server.sql(locks)).length, 1, 'it is still held')
    await server.sql(
      `SELECT pg_cancel_backend(l.pid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
       WHERE c.relname = 'setting' AND l.mode = 'AccessExclusiveLock' AND l.granted`,
    )
    await holding.catch(() => {})
    assert.equal(await outcome(store.write(keep, 'after it')), 'done')
    await store.close()
  })

  test('a node waits for its turn to migrate for longer than a statement may take', async () => {
    const url = await server.fresh()
    const schema = new URL(url).searchParams.get('options')?.split('=')[1] ?? ''
    const slow = server.sql(
      `SELECT pg_advisory_xact_lock(${0x504f5354}, hashtext($1)), pg_sleep(1)`,
      [schema],
    )
    const held = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = ${0x504f5354} AND granted`
    while ((await server.sql(held)).length === 0) await sleep(5)
    const options = { clock: nodeClock, random: nodeRandom, log: silent, statementTimeoutMs: 100 }
    const store = await openPostgresStore({ url, ...options })
    await slow
    assert.equal(await outcome(store.write(keep, 'a')), 'done')
    await store.close()
  })

  test('a database that may only be read is no storm of connections, and goes on once it may be written', async () => {
    await server.sql('CREATE DATABASE readable')
    const url = (await server.fresh()).replace('/postgres?', '/readable?').replace(/\?.*/, '')
    const proxy = await openProxy(server.port)
    const clock = { ...nodeClock, monotonic: () => nodeClock.monotonic() * 20 }
    const store = await openPostgresStore({
      url: url.replace(`:${server.port}/`, `:${proxy.port}/`),
      ...{ clock, random: nodeRandom, log: silent },
    })
    await server.sql('ALTER DATABASE readable SET default_transaction_read_only = on')
    const before = proxy.connections
    proxy.cut()
    assert.notEqual(await outcome(store.write(keep, 'a')), 'done')
    assert.ok(proxy.connections - before < 12, `${proxy.connections - before}`)
    assert.deepEqual(await store.read(kept, null), [])
    await server.sql('ALTER DATABASE readable RESET default_transaction_read_only')
    // What comes behind is no bug of a writer: an outcome of a delivery would be forgotten for it.
    proxy.cutYoung(1)
    assert.equal(await outcome(store.write(keep, 'a')), 'done')
    await store.close()
    await proxy.close()
  })

  test('a database that does not keep text as UTF-8 is refused, and left as it is', async () => {
    await server.sql(`CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0`)
    const url = server.url('public').replace('/postgres?', '/ascii?')
    await assert.rejects(node(url), /SQL_ASCII/)
  })

  test('a server that is not there is a clear refusal, soon', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/none'
    const clock = { ...nodeClock, monotonic: () => nodeClock.monotonic() * 50 }
    const opening = openPostgresStore({ url, clock, random: nodeRandom, log: silent })
    await assert.rejects(opening, (error: StoreError) => error.reason === 'busy')
  })
})
