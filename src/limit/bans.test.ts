/** Bans over time and over nodes: how they grow, end, are lifted, and come to be known elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptedNode } from '../../test/kit/visits.ts'
import { openMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { parseNetwork } from '../wire/network.ts'

const HOUR = 3_600_000
const PEER = '192.0.2.1'
const network = (text: string) => parseNetwork(text) ?? assert.fail(text)

test('each ban is three times as long as the one before, up to the longest, and forgotten in time', async () => {
  const { bans, internet } = await scriptedNode()
  const lengths: number[] = []
  for (let i = 0; i < 7; i++) {
    bans.add(PEER, 'failed logins')
    assert.ok(bans.of(PEER))
    await internet.advance(1)
    const [ban] = await bans.list()
    lengths.push(Math.round(((ban?.untilAt ?? 0) - (ban?.begunAt ?? 0)) / 60_000))
    await internet.advance((ban?.untilAt ?? 0) - internet.now)
    assert.equal(bans.of(PEER), undefined)
    assert.equal(bans.size, 0)
  }
  assert.deepEqual(lengths, [10, 30, 90, 270, 810, 1440, 1440])
  await internet.advance(3 * 24 * HOUR)
  bans.add(PEER, 'failed logins')
  await internet.advance(1)
  assert.equal((await bans.list())[0]?.level, 5)
})

test('a limit that says so again changes nothing; an operator does', async () => {
  const { bans, internet } = await scriptedNode()
  bans.add(PEER, 'one')
  bans.add(PEER, 'two')
  await internet.advance(1)
  assert.equal((await bans.list())[0]?.reason, 'one')
  await bans.ban(network(`${PEER}/32`), 'three', 60_000)
  assert.deepEqual([bans.of(PEER)?.reason, bans.of(PEER)?.level], ['three', 2])
  await internet.advance(60_000)
  assert.equal(bans.of(PEER), undefined)
})

test('of IPv6 the /64 is banned, and networks of any length turn away all that is in them', async () => {
  const { bans } = await scriptedNode()
  bans.add('2001:db8:1:2::77', 'failed logins')
  assert.ok(bans.of('2001:db8:1:2:ffff::1'))
  assert.equal(bans.of('2001:db8:1:3::77'), undefined)
  await bans.ban(network('198.51.100.0/24'), 'all of it')
  assert.ok(bans.of('198.51.100.9'))
  assert.equal(bans.of('198.51.101.9'), undefined)
  assert.equal(await bans.lift(network('198.51.100.0/24')), true)
  assert.equal(await bans.lift(network('198.51.100.0/24')), false)
  assert.equal(bans.of('198.51.100.9'), undefined)
  for (const odd of ['unix', '', 'stdio']) assert.equal(bans.of(odd), undefined)
})

test('who was let in again begins anew', async () => {
  const { bans, come } = await scriptedNode({ loginFailures: 1 })
  come(PEER).visit.answered('password', { kind: 'denied', why: '' }, 1)
  assert.equal(come(PEER).admission.kind, 'turned')
  await bans.lift(network(`${PEER}/32`))
  const again = come(PEER)
  assert.equal(again.admission.kind, 'welcome')
  assert.equal(again.visit.mayLogIn(), true)
})

/** A store that other nodes write to as well. */
function sharedBy(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'alone') return false
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('what one node bans and lifts holds at the other at once, and after a restart', async () => {
  const time = { now: Date.UTC(2030, 0, 1) }
  const store = sharedBy(await openMemoryStore({ now: () => time.now }))
  const [one, two] = [await scriptedNode({}, store), await scriptedNode({}, store)]
  const standing = two.come(PEER)
  const user = two.come(PEER)
  user.visit.answered('password', { kind: 'account', account: { id: 1, address: 'a@b.test' } })
  one.bans.add(PEER, 'failed logins')
  await told()
  assert.equal(two.bans.of(PEER)?.reason, 'failed logins')
  // Those who are there go as well, but for who has proven himself.
  await two.internet.advance(1000)
  assert.deepEqual(standing.said, ['turned away for a while'])
  assert.deepEqual(user.said, [])
  assert.ok((await scriptedNode({}, store)).bans.of(PEER))
  await two.bans.lift(network(`${PEER}/32`))
  await told()
  assert.equal(one.bans.of(PEER), undefined)
  time.now += 2 * HOUR
  await one.bans.sweep()
  assert.equal((await scriptedNode({}, store)).bans.size, 0)
})

/** Wake-ups and the reads behind them take some turns. */
async function told(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise<void>(resolve => setImmediate(resolve))
}
