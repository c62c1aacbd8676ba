/**
 * Several nodes on one real PostgreSQL: claims that never overlap, UIDs that never repeat, edits that everyone sees,
 * wake-ups, and clocks that disagree.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAccounts } from '../../src/account/open.ts'
import { deliver } from '../../src/mailbox/writer.ts'
import { claim, claimAsked } from '../../src/queue/claim.ts'
import { identities } from '../../src/queue/id.ts'
import { nextDueIn, pendingFor } from '../../src/queue/reader.ts'
import { accept, settle } from '../../src/queue/writer.ts'
import { openPostgresStore } from '../../src/store/postgres/open.ts'
import type { Store } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { nodeClock } from '../../src/world/node/clock.ts'
import { nodeRandom } from '../../src/world/node/random.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'
import { acceptance, keep, kept, node, together, unsettled } from './nodes-room.ts'

const binaries = findPostgres()
const server = binaries && (await sharedPostgres(binaries))

describe('several nodes on one PostgreSQL', { skip: server === undefined && noPostgres }, () => {
  if (server === undefined) return

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
    together(server, 2, async stores => {
      const clock = { ...nodeClock, now: () => Date.UTC(2026, 0, 1) }
      const made = stores.map(store => identities(clock, nodeRandom, () => store.slot()))
      const keys = made.flatMap(make => Array.from({ length: 100 }, () => make().bodyKey))
      assert.equal(new Set(keys).size, 200)
    }),
  )

  test(
    'claims of many nodes never overlap and leave nothing',
    together(server, 3, async stores => {
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
    together(server, 3, async stores => {
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
    together(server, 2, async stores => {
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
    together(server, 2, async stores => {
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
    together(server, 4, async (stores, url) => {
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
    'nodes that settle the last recipients of a message at once let its body go',
    together(server, 2, async stores => {
      const [a, b] = stores as [Store, Store]
      const messages = Array.from({ length: 60 }, (_, n) => ({ id: `m${n}`, bodyKey: n + 1 }))
      const born = messages.map(({ id, bodyKey }) => {
        const whole = acceptance(id, bodyKey)
        const leased = ['a', 'b'].flatMap(by =>
          whole.recipients.map(r => ({ ...r, lease: { by, leaseMs: 60_000 } })),
        )
        return a.write(accept, { ...whole, recipients: leased })
      })
      await Promise.all(born)
      const taken = { state: 'relayed', status: '2.0.0', reason: '', remote: null } as const
      const ends = messages.flatMap(({ id: messageId, bodyKey }) =>
        [a, b].map((store, n) => {
          const node = n === 0 ? 'a' : 'b'
          const results = [{ ...taken, n }]
          return store.write(settle, { messageId, bodyKey, node, at: 1, results, notices: [] })
        }),
      )
      assert.ok((await Promise.all(ends)).every(({ held }) => held))
      assert.deepEqual(await a.read(unsettled, null), { messages: 0, bodies: 0 })
    }),
  )

  test(
    'a node whose clock is an hour off leases and retries by the database’s time',
    together(server, 2, async (stores, url) => {
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
})
