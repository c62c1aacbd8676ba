/** An operator sends what waits another way: at once, past rules, over crashes, until he undoes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trace } from '../../src/record/trace.ts'
import { ExitError } from '../../src/server/exit-error.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { show } from '../../src/server/operation/queue.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import { judge } from './oracle.ts'
import { createTown, type Town } from './town.ts'

/** c.test is a hop of a.test's config, and takes mail for b.test as its own; the way to b.test is cut. */
async function aTown(): Promise<Town> {
  const town = await createTown({
    seed: 'reroute',
    servers: [
      {
        domain: 'a.test',
        accounts: ['alice'],
        config: {
          queue: { retry: ['1h'] },
          outbound: { hops: { backup: { host: 'mx.c.test', port: 25, tls: 'never' } } },
        },
      },
      { domain: 'b.test', accounts: ['bob'] },
      { domain: 'c.test', accounts: ['carol'], aliases: {}, config: { domains: ['b.test'] } },
    ],
  })
  town.internet.network.part(town.server('a.test').name, town.server('b.test').name)
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
  await town.advance('1 minute')
  return town
}

async function reroute(town: Town, via: string | null): Promise<number> {
  const context = contextOf(town.server('a.test').house)
  const order = { order: 'reroute' as const, via, query: 'to:bob@b.test' }
  return (await town.internet.complete(changeSome(context, order))).changed
}

async function shown(town: Town) {
  const context = contextOf(town.server('a.test').house)
  const [id] = [...town.server('a.test').ledger.seenAt.keys()]
  return (await town.internet.complete(show(context, { message: id as string }))).recipients[0]
}

async function remoteOf(town: Town): Promise<string | null | undefined> {
  const { store, ledger } = town.server('a.test')
  const [id] = [...ledger.seenAt.keys()]
  return (await town.internet.complete(store.read(trace, id as string)))?.recipients[0]?.remote
}

test('it goes by the hop at once, and after a crash of ours too', async () => {
  const town = await aTown()
  assert.equal((await shown(town))?.route, 'mx:b.test, by mx')
  town.internet.network.part(town.server('a.test').name, town.server('c.test').name)
  assert.equal(await reroute(town, 'backup'), 1)
  await town.advance('1 minute')
  const waiting = await shown(town)
  assert.deepEqual([waiting?.via, waiting?.attempts], ['backup', 2])
  assert.equal(waiting?.route, 'host:mx.c.test:25 (backup), by queue reroute')
  town.server('a.test').crash()
  town.internet.network.heal(town.server('a.test').name, town.server('c.test').name)
  await town.advance('2 hours')
  // It knows no bob, and that is the word of the hop it was sent by.
  assert.match((await remoteOf(town)) ?? '', /^mx\.c\.test/)
})

test('to undo it is to go the usual way, and a hop that nobody knows is a mistake', async () => {
  const town = await aTown()
  await assert.rejects(
    reroute(town, 'nowhere'),
    (error: unknown) => error instanceof ExitError && error.exit === 64,
  )
  town.internet.network.part(town.server('a.test').name, town.server('c.test').name)
  await reroute(town, 'backup')
  await town.advance('1 minute')
  assert.equal(await reroute(town, null), 1)
  assert.equal((await shown(town))?.via, undefined)
  town.internet.network.heal(town.server('a.test').name, town.server('b.test').name)
  await town.advance('2 hours')
  assert.equal((await town.internet.complete(town.user('bob@b.test').read())).length, 1)
  assert.deepEqual(await judge(town), [])
})
