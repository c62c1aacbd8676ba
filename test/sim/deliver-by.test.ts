/** DELIVERBY in the town (RFC 2852): what has a time comes back at it, or its sender is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/server/settings/settings.ts'
import { judge } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const MINUTE = 60_000

function twoServers(theirs: Config = {}): Promise<Town> {
  return createTown({
    seed: 'deliver by',
    servers: [
      { domain: 'a.test', accounts: ['alice'] },
      { domain: 'b.test', accounts: ['bob'], config: theirs },
    ],
  })
}

/** A letter that is to arrive within half an hour. */
function send(town: Town, mode: 'R' | 'N', trace = false, seconds = 1800): Promise<void> {
  return town.send({
    from: 'alice@a.test',
    to: ['bob@b.test'],
    asks: now => ({ deliverBy: { atMs: now + seconds * 1000, mode, trace } }),
  })
}

interface Told {
  readonly action: string
  readonly status: string
  /** Minutes from the arrival of the letter to the notice, and to its time. */
  readonly after: number
  readonly by: number
}

/** What Alice was told, in order. */
async function toldOf(town: Town): Promise<Told[]> {
  const mail = await town.internet.complete(town.user('alice@a.test').read())
  return mail.map(({ octets }) => {
    const text = Buffer.from(octets).toString('latin1')
    const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(text)?.[1] ?? ''
    const arrival = Date.parse(field('Arrival-Date'))
    const minutes = (name: string) => Math.round((Date.parse(field(name)) - arrival) / MINUTE)
    const [action, status] = [field('Action'), field('Status')]
    return { action, status, after: minutes('Date'), by: minutes('Deliver-By-Date') }
  })
}

async function lettersOfBob(town: Town): Promise<number> {
  return (await town.internet.complete(town.user('bob@b.test').read())).length
}

test('§4.1.3: with R it comes back at its time, not at the next try, and is never tried again', async () => {
  const town = await twoServers()
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  await send(town, 'R')
  await town.advance('1 hour')
  assert.deepEqual(await toldOf(town), [{ action: 'failed', status: '5.4.7', after: 30, by: 30 }])
  town.internet.network.heal(ours.name, theirs.name)
  await town.advance('6 days')
  assert.equal(await lettersOfBob(town), 0)
  assert.deepEqual(await judge(town), [])
})

test('§4.1.3: with N the sender is told at its time, once, and it goes on', async () => {
  const town = await twoServers()
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  await send(town, 'N')
  await town.advance('3 hours')
  // The host is known to be down just then, so that nothing is tried first.
  assert.deepEqual(await toldOf(town), [{ action: 'delayed', status: '4.4.7', after: 30, by: 30 }])
  town.internet.network.heal(ours.name, theirs.name)
  await town.advance('6 days')
  assert.equal((await toldOf(town)).length, 1)
  assert.equal(await lettersOfBob(town), 1)
  assert.deepEqual(await judge(town), [])
})

test('what was in a machine that is down at its time comes back when it is up again, untried', async () => {
  const town = await twoServers()
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  await send(town, 'R')
  await town.advance('10 minutes')
  ours.reboots = false
  ours.crash()
  town.internet.network.heal(ours.name, theirs.name)
  await town.advance('1 hour')
  await town.internet.complete(ours.restart())
  await town.advance('1 minute')
  assert.deepEqual(await toldOf(town), [{ action: 'failed', status: '5.4.7', after: 70, by: 30 }])
  assert.equal(await lettersOfBob(town), 0)
  assert.deepEqual(await judge(town), [])
})

test('§4.1.4.1: with R it is not given to a hop that does not keep the time, or wants more of it', async () => {
  for (const [theirs, status] of [
    [{ listeners: { smtp: { without: ['DELIVERBY'] } } }, '5.3.3'],
    [{ queue: { deliverByMin: '31m' } }, '5.4.7'],
  ] as const satisfies readonly (readonly [Config, string])[]) {
    const town = await twoServers(theirs)
    await send(town, 'R')
    await town.advance('1 minute')
    assert.deepEqual(await toldOf(town), [{ action: 'failed', status, after: 0, by: 30 }])
    assert.equal(await lettersOfBob(town), 0)
    assert.deepEqual(await judge(town), [])
  }
})

test('§4.1.4: with T, and with N towards a hop that does not keep the time, the sender hears of the relay', async () => {
  for (const [mode, trace, without, told] of [
    ['R', true, [], 1],
    ['R', false, [], 0],
    ['N', false, ['DELIVERBY'], 1],
    ['N', false, [], 0],
  ] as const) {
    const town = await twoServers({ listeners: { smtp: { without: [...without] } } })
    await send(town, mode, trace)
    await town.advance('1 hour')
    const relayed = { action: 'relayed', status: '2.0.0', after: 0, by: 30 }
    assert.deepEqual(await toldOf(town), told === 1 ? [relayed] : [])
    assert.equal(await lettersOfBob(town), 1)
    assert.deepEqual(await judge(town), [])
  }
})

test('a time within the same house is kept too', async () => {
  const town = await createTown({
    seed: 'deliver by',
    servers: [{ domain: 'a.test', accounts: ['alice', 'bob'] }],
  })
  await town.send({
    from: 'alice@a.test',
    to: ['bob@a.test'],
    asks: now => ({ deliverBy: { atMs: now + 60_000, mode: 'R', trace: true } }),
  })
  await town.advance('1 hour')
  assert.equal((await town.internet.complete(town.user('bob@a.test').read())).length, 1)
  assert.deepEqual(await toldOf(town), [])
  assert.deepEqual(await judge(town), [])
})
