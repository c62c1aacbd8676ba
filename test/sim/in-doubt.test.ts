/**
 * "All was sent, and nobody said whether it was taken": a state of its own, through crashes of ours, and
 * what an operator wants done about it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ControlContext,
  contextOf as contextOfHouse,
} from '../../src/server/operation/context.ts'
import { list, why } from '../../src/server/operation/queue.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { judge, toldOf } from './oracle.ts'
import { createTown, type Town } from './town.ts'

type InDoubt = NonNullable<NonNullable<Config['queue']>['inDoubt']>

/** A town in which b.test's replies to the end of a message are lost on the way to a.test, so many times. */
async function mute(lost: number, inDoubt: InDoubt = {}, theirs: Config = {}): Promise<Town> {
  const town = await createTown({
    seed: 'doubt',
    servers: [
      { domain: 'a.test', accounts: ['alice'], config: { queue: { inDoubt } } },
      { domain: 'b.test', accounts: ['bob'], config: theirs },
    ],
  })
  let left = lost
  town.internet.network.faults.fate = ({ octets, fromClient, port }) => {
    const reply = Buffer.from(octets).toString('latin1')
    if (port !== 25 || fromClient || !/^250 2\.0\.0 .*queued as/.test(reply) || left === 0) {
      return 'deliver'
    }
    left--
    return 'reset'
  }
  await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
  await town.advance('10 seconds')
  return town
}

function contextOf(town: Town): ControlContext {
  return contextOfHouse(town.server('a.test').house)
}

async function found(town: Town, query: string) {
  const { items } = await town.internet.complete(list(contextOf(town), { query }))
  return items.map(({ address, state }) => `${address} ${state}`)
}

async function letters(town: Town, address: string): Promise<string[]> {
  const read = await town.internet.complete(town.user(address).read())
  return read.map(({ octets }) => Buffer.from(octets).toString())
}

test('it is a state that is listed and explained, survives a crash, and ends with the next reply', async () => {
  const town = await mute(1)
  assert.deepEqual(await found(town, 'state:doubt'), ['bob@b.test doubt'])
  assert.deepEqual(await found(town, 'state:(queued deferred leased)'), [])
  const { explanations } = await town.internet.complete(
    why(contextOf(town), { subject: 'bob@b.test' }),
  )
  assert.match(explanations[0]?.why ?? '', /^in doubt, for all of it was sent: /)
  assert.match(explanations[0]?.next ?? '', /may be there/)
  town.server('a.test').crash()
  await town.advance('25 seconds')
  assert.deepEqual(await found(town, 'state:doubt'), ['bob@b.test doubt'])
  await town.advance('1 hour')
  assert.deepEqual(await found(town, 'state:relayed'), ['bob@b.test relayed'])
  assert.equal((await letters(town, 'bob@b.test')).length, 2)
  assert.deepEqual(await judge(town), [])
})

test('it waits as long as the operator says before it goes again', async () => {
  const town = await mute(1, { wait: '3h' })
  await town.advance('170 minutes')
  assert.equal((await letters(town, 'bob@b.test')).length, 1)
  await town.advance('40 minutes')
  assert.equal((await letters(town, 'bob@b.test')).length, 2)
  assert.deepEqual(await judge(town), [])
})

test('behind some tries it is held, until the operator has looked', async () => {
  const town = await mute(2, { tries: 2, afterwards: 'hold' })
  await town.advance('1 day')
  assert.deepEqual(await found(town, ''), ['bob@b.test held'])
  assert.equal((await letters(town, 'bob@b.test')).length, 2)
  const order = { order: 'release' as const, query: 'state:held' }
  await town.internet.complete(changeSome(contextOf(town), order))
  await town.advance('1 hour')
  assert.deepEqual(await found(town, 'state:relayed'), ['bob@b.test relayed'])
  assert.deepEqual(await judge(town), [])
})

test('behind some tries it comes back, and the notice says that it may have arrived', async () => {
  const town = await mute(9, { tries: 2, afterwards: 'bounce' })
  await town.advance('1 day')
  assert.deepEqual(await found(town, 'state:failed'), ['bob@b.test failed'])
  const [notice = '', ...more] = await letters(town, 'alice@a.test')
  assert.deepEqual([toldOf(notice, 'failed'), more.length], [['bob@b.test'], 0])
  assert.match(notice.replace(/\s+/g, ' '), /may have arrived all the same/)
  assert.equal((await letters(town, 'bob@b.test')).length, 2)
  assert.deepEqual(await judge(town), [])
})

test('a hop that knows the transaction by its name is asked until it says, and has one copy', async () => {
  const named: Config = { listeners: { smtp: { with: ['CHECKPOINT'] } } }
  const town = await mute(4, { tries: 1, afterwards: 'bounce' }, named)
  assert.deepEqual(await found(town, 'state:doubt'), ['bob@b.test doubt'])
  // The name is the same in our next life.
  town.server('a.test').crash()
  await town.advance('1 day')
  assert.deepEqual(await found(town, 'state:relayed'), ['bob@b.test relayed'])
  assert.equal((await letters(town, 'bob@b.test')).length, 1)
  assert.equal((await letters(town, 'alice@a.test')).length, 0)
  assert.deepEqual(await judge(town), [])
})

for (const seed of [1, 2, 3]) {
  test(`our death between the end of a message and its reply makes no copy where it has a name (seed ${seed})`, async () => {
    const town = await createTown({
      seed,
      rough: true,
      servers: [
        { domain: 'a.test', accounts: ['alice'] },
        {
          domain: 'b.test',
          accounts: ['bob'],
          config: { listeners: { smtp: { with: ['CHECKPOINT'] } } },
        },
      ],
    })
    const ours = town.server('a.test')
    let deaths = 0
    town.internet.network.faults.fate = ({ octets, fromClient, port }) => {
      const reply = Buffer.from(octets).toString('latin1')
      if (port !== 25 || fromClient || !reply.includes('queued as') || deaths === 2)
        return 'deliver'
      deaths++
      ours.crash()
      return 'lose'
    }
    await town.send({ from: 'alice@a.test', to: ['bob@b.test'], body: 'x'.repeat(seed * 300) })
    await town.advance('1 day')
    assert.ok(deaths > 0)
    assert.equal((await letters(town, 'bob@b.test')).length, 1)
    assert.deepEqual(await judge(town), [])
  })
}

test('what is given up by age in doubt says so', async () => {
  const town = await mute(1_000)
  await town.advance('6 days')
  assert.deepEqual(await found(town, 'state:expired'), ['bob@b.test expired'])
  const notices = await letters(town, 'alice@a.test')
  const told = notices.filter(notice => toldOf(notice, 'failed').includes('bob@b.test'))
  assert.equal(told.length, 1)
  assert.match((told[0] ?? '').replace(/\s+/g, ' '), /may have arrived all the same/)
})
