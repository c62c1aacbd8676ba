/** FUTURERELEASE in the town (RFC 4865): what its sender holds back leaves at its time, and not before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ControlContext,
  contextOf as contextOfHouse,
} from '../../src/server/operation/context.ts'
import { why } from '../../src/server/operation/queue.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import { judge } from './oracle.ts'
import { createTown, type Town } from './town.ts'

const HOUR = 3_600_000

function aTown(): Promise<Town> {
  return createTown({
    seed: 'future release',
    servers: [
      { domain: 'a.test', accounts: ['alice', 'ann'] },
      { domain: 'b.test', accounts: ['bob'] },
    ],
  })
}

/** A letter that is to leave in six hours, to a neighbour and to another town. */
function send(town: Town): Promise<void> {
  return town.send({
    from: 'alice@a.test',
    to: ['ann@a.test', 'bob@b.test'],
    asks: now => ({ release: { atMs: now + 6 * HOUR, asked: `for;${6 * 3600}` } }),
  })
}

/** How many letters Ann and Bob have. */
async function arrived(town: Town): Promise<number[]> {
  const counts: number[] = []
  for (const address of ['ann@a.test', 'bob@b.test'])
    counts.push((await town.internet.complete(town.user(address).read())).length)
  return counts
}

function contextOf(town: Town): ControlContext {
  return contextOfHouse(town.server('a.test').house)
}

test('§4.2 (5): it is held for neighbours and others alike, and leaves when its time has come', async () => {
  const town = await aTown()
  await send(town)
  await town.advance('359 minutes')
  assert.deepEqual(await arrived(town), [0, 0])
  await town.advance('2 minutes')
  assert.deepEqual(await arrived(town), [1, 1])
  assert.deepEqual(await judge(town), [])
})

test('it is held over the end of the machine, and leaves late where that was down at its time', async () => {
  const town = await aTown()
  const ours = town.server('a.test')
  await send(town)
  ours.crash()
  await town.advance('5 hours')
  assert.deepEqual(await arrived(town), [0, 0])
  ours.reboots = false
  ours.crash()
  await town.advance('3 hours')
  await town.internet.complete(ours.restart())
  await town.advance('1 minute')
  assert.deepEqual(await arrived(town), [1, 1])
  assert.deepEqual(await judge(town), [])
})

test('an operator sees who holds it and until when, and may let it go', async () => {
  const town = await aTown()
  await send(town)
  const context = contextOf(town)
  const { explanations } = await town.internet.complete(why(context, { subject: 'bob@b.test' }))
  assert.match(explanations[0]?.why ?? '', /^held by its sender until \w{3}, /)
  assert.match(explanations[0]?.next ?? '', /queue retry/)
  const left = (explanations[0]?.dueAt ?? 0) - town.internet.now
  assert.ok(left > 5.9 * HOUR && left <= 6 * HOUR)
  assert.ok((explanations[0]?.expiresAt ?? 0) > town.internet.now + 125 * HOUR)
  await town.internet.complete(changeSome(context, { order: 'retry', query: 'to:bob@b.test' }))
  await town.advance('1 minute')
  assert.deepEqual(await arrived(town), [0, 1])
  await town.advance('6 hours')
  assert.deepEqual(await arrived(town), [1, 1])
  assert.deepEqual(await judge(town), [])
})

test('its age is counted from then on, and a notice says what was asked', async () => {
  const town = await aTown()
  const [ours, theirs] = [town.server('a.test'), town.server('b.test')]
  town.internet.network.part(ours.name, theirs.name)
  await send(town)
  await town.advance('125 hours')
  const notices = async () => {
    const mail = await town.internet.complete(town.user('alice@a.test').read())
    return mail.map(({ octets }) => Buffer.from(octets).toString('latin1'))
  }
  const actions = (texts: string[]) => texts.map(text => /^Action: (\w+)/m.exec(text)?.[1])
  assert.deepEqual(actions(await notices()), ['delayed'])
  await town.advance('2 hours')
  const told = await notices()
  assert.deepEqual(actions(told), ['delayed', 'failed'])
  for (const text of told) {
    assert.match(text, /^Future-Release-Request: for;21600\r$/m)
    assert.match(text, /^Arrival-Date: /m)
  }
  town.internet.network.heal(ours.name, theirs.name)
  await town.advance('6 days')
  assert.deepEqual(await judge(town), [])
})

test('what is held may be deleted, and a time longer than the next hop holds is no matter of it', async () => {
  const town = await aTown()
  await send(town)
  await town.internet.complete(
    changeSome(contextOf(town), { order: 'delete', query: 'to:bob@b.test' }),
  )
  await town.advance('7 hours')
  assert.deepEqual(await arrived(town), [1, 0])
})
