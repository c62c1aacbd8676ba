/** Which connections loads go by: kept ones, how many there are at once, and the hosts that are as good as each other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { Route } from '../route/route.ts'
import type { Carried } from './transport.ts'

test('a connection is kept for the next message, and left when it was idle too long', async () => {
  const { carry, internet, servers } = await town([{}])
  await carry()
  await carry()
  assert.equal(servers[0]?.connections, 1)
  assert.equal(servers[0]?.messages.length, 2)
  await internet.advance('6s')
  assert.equal(servers[0]?.open, 0)
  assert.equal(servers[0]?.lines.at(-1), 'QUIT')
  await carry()
  assert.equal(servers[0]?.connections, 2)
})

test('a connection carries no more messages than allowed', async () => {
  const { carry, servers } = await town([{}], { messagesPerConnection: 2 })
  for (let i = 0; i < 5; i++) await carry()
  assert.equal(servers[0]?.connections, 3)
})

test('loads beyond the connections of a route wait their turn', async () => {
  const { transport, internet, servers } = await town([{}], { connectionsPerRoute: 3 })
  const route: Route = { kind: 'mx', domain: 'x.test' }
  const all = Array.from({ length: 20 }, () => transport.carry(load(['b@x.test']), route))
  const carried = await internet.complete(Promise.all(all))
  assert.equal(
    carried.every(one => one.outcomes[0]?.kind === 'delivered'),
    true,
  )
  assert.equal(servers[0]?.openMax, 3)
  assert.equal(servers[0]?.messages.length, 20)
})

test('connections of all routes together are bounded, and idle ones make room', async () => {
  const { transport, internet, servers } = await town([{}], { connectionsMax: 2 })
  const loads: Promise<Carried>[] = []
  for (let i = 0; i < 8; i++) {
    internet.zones.set(`d${i}.test`, { mx: [[0, 'mx0.test']] })
    loads.push(transport.carry(load([`b@d${i}.test`]), { kind: 'mx', domain: `d${i}.test` }))
  }
  const carried = await internet.complete(Promise.all(loads))
  assert.equal(
    carried.every(one => one.outcomes[0]?.kind === 'delivered'),
    true,
  )
  assert.equal(servers[0]?.connections, 8)
})

test('a kept connection that has ended costs nothing but a new one', async () => {
  for (const late of ['', '421 4.4.2 too late']) {
    const MAIL = (_line: string, nth: number) => (nth === 1 ? '250 ok' : late)
    const { carry, servers } = await town([{ replies: { MAIL } }])
    await carry()
    const second = await carry()
    assert.equal(short(second), 'delivered 2.0.0 mx0.test', late)
    assert.equal(servers[0]?.connections, 2)
  }
})

test('RFC 5321 §5.1: hosts that are preferred alike share what comes one by one, by kept connections', async () => {
  const { carry, servers, internet } = await town([{}, {}, {}, {}])
  const alike = [0, 1, 2].map(at => [10, `mx${at}.test`] as const)
  internet.zones.set('x.test', { mx: [...alike, [20, 'mx3.test']] })
  for (let n = 0; n < 90; n++) {
    assert.match(short(await carry()), /^delivered/)
    await internet.advance('1 second')
  }
  const taken = servers.map(({ messages }) => messages.length)
  assert.ok(
    taken.slice(0, 3).every(count => count >= 18 && count <= 42) && !taken[3],
    taken.join(' '),
  )
  const opened = servers.reduce((sum, { connections }) => sum + connections, 0)
  assert.ok(opened < 45, `${opened} connections`)
})

test('of hosts that are preferred alike one that cannot be reached costs a kept connection nothing', async () => {
  const { carry, servers, internet } = await town([{}, { greeting: '' }])
  internet.zones.set('x.test', { mx: [0, 1].map(at => [10, `mx${at}.test`] as const) })
  for (let n = 0; n < 50; n++) {
    assert.match(short(await carry()), /^delivered 2\.0\.0 mx0/)
    await internet.advance('1 second')
  }
  assert.deepEqual(
    servers.map(({ connections }) => connections),
    [servers[0]?.connections, 1],
  )
  assert.ok((servers[0]?.connections ?? 9) <= 2)
})

test('hosts that are preferred alike share by what connections are allowed', async () => {
  const { carry, servers, internet } = await town([{}, {}], { connectionsPerRoute: 1 })
  internet.zones.set('x.test', { mx: [0, 1].map(at => [10, `mx${at}.test`] as const) })
  for (let n = 0; n < 20; n++) await carry()
  assert.equal(
    servers.reduce((sum, { connections }) => sum + connections, 0),
    1,
  )
})

test('closing says goodbye on idle connections', async () => {
  const { carry, internet, transport, servers } = await town([{}])
  await carry()
  await internet.complete(transport.close())
  assert.equal(servers[0]?.lines.at(-1), 'QUIT')
  assert.equal(servers[0]?.open, 0)
})
