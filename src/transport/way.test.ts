import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { NextHop, Route } from '../route/route.ts'
import { seededRandom } from '../world/sim/random.ts'
import { byWeight, hopsInTurn, sourceFor, waysOf } from './way.ts'

const hop = (host: string, more: Partial<NextHop> = {}): NextHop => ({
  host,
  port: 25,
  tls: 'never',
  ...more,
})

const defaults = {
  hostname: 'us.test',
  port: 25,
  tls: 'opportunistic',
  sourceAddresses: [],
  addressFamily: 'any',
  eightBit: 'convert',
} as const

test('neighbours with a weight stand first by it, the others where they are', () => {
  const hops = [
    hop('first'),
    hop('heavy', { weight: 3 }),
    hop('light', { weight: 1 }),
    hop('last'),
    hop('alone', { weight: 7 }),
  ]
  const random = seededRandom('weights')
  let heavy = 0
  for (let i = 0; i < 2000; i++) {
    const order = byWeight(hops, random).map(({ host }) => host)
    assert.deepEqual([order[0], order[3], order[4]], ['first', 'last', 'alone'])
    assert.deepEqual(new Set(order.slice(1, 3)), new Set(['heavy', 'light']))
    if (order[1] === 'heavy') heavy++
  }
  assert.ok(Math.abs(heavy - 1500) < 100, `${heavy}`)
})

test('a hop is spoken to as it says, and for the rest as holds for all', () => {
  const random = seededRandom(1)
  const route: Route = {
    kind: 'mx',
    domain: 'x.test',
    egress: { hostname: 'bulk.test', sourceAddresses: ['192.0.2.5', '2001:db8::5'] },
    instead: [
      hop('relay.test', {
        eightBit: 'send-anyway',
        addressFamily: 'ipv6-first',
        without: ['CHUNKING'],
      }),
    ],
  }
  const [first, second] = waysOf(route, hopsInTurn(route, random), defaults, false)
  assert.ok(first && second)
  assert.deepEqual(
    [first.to, first.hostname, first.family, first.eightBit, first.without],
    [{ domain: 'x.test' }, 'bulk.test', 'any', 'convert', []],
  )
  assert.deepEqual(
    [second.to, second.hostname, second.family, second.eightBit, second.without],
    [{ host: 'relay.test' }, 'us.test', 'ipv6-first', 'send-anyway', ['CHUNKING']],
  )
  assert.equal(sourceFor(first, '198.51.100.1', random), '192.0.2.5')
  assert.equal(sourceFor(first, '2001:db8:1::1', random), '2001:db8::5')
  assert.equal(sourceFor(first, '/run/x.sock', random), undefined)
  assert.equal(sourceFor(second, '198.51.100.1', random), undefined)
  const four = { ...route, egress: { sourceAddresses: ['192.0.2.5'] } }
  const [only] = waysOf(four, hopsInTurn(four, random), defaults, false)
  assert.equal(only?.family, 'ipv4')
  assert.equal(only && sourceFor(only, '2001:db8::1', random), null)
})

test('a hop that is down or missing is followed by the next, whose own words are used', async () => {
  const { carry, servers } = await town([{}, { extensions: ['AUTH PLAIN'] }])
  const login = { username: 'u', password: 'p' }
  const route: Route = {
    kind: 'smarthost',
    ...hop('gone.test'),
    instead: [
      hop('mx0.test', { port: 26 }),
      hop('mx1.test', { login, hostname: 'other.test' }),
      hop('mx0.test'),
    ],
  }
  assert.equal(short(await carry(undefined, route)), 'delivered 2.0.0 mx1.test')
  assert.equal(servers[0]?.connections, 0)
  assert.equal(servers[1]?.lines[0], 'EHLO other.test')
  assert.match(servers[1]?.lines[1] ?? '', /^AUTH PLAIN/)
})

test('what goes one after the other goes by weights too, each hop by a connection that is kept', async () => {
  const { carry, servers } = await town([{}, {}])
  const route: Route = {
    kind: 'smarthost',
    ...hop('mx0.test', { weight: 3 }),
    instead: [hop('mx1.test', { weight: 1 })],
  }
  for (let i = 0; i < 80; i++) assert.match(short(await carry(undefined, route)), /^delivered/)
  const [heavy = 0, light = 0] = servers.map(({ messages }) => messages.length)
  assert.ok(heavy + light === 80 && Math.abs(heavy - 60) <= 10, `${heavy} and ${light}`)
  assert.deepEqual(
    servers.map(({ connections }) => connections),
    [1, 1],
  )
})

test('of hops that are all down the last hope is told; where none has an address, that', async () => {
  const { carry } = await town([{}])
  const down = hop('mx0.test', { port: 26 })
  const some: Route = { kind: 'smarthost', ...down, instead: [hop('gone.test')] }
  assert.equal(short(await carry(undefined, some)), 'deferred 4.4.1 mx0.test')
  const none: Route = { kind: 'smarthost', ...hop('gone.test'), instead: [hop('gone.test')] }
  assert.equal(short(await carry(undefined, none)), 'deferred 4.4.4')
})

test('what a hop refuses is refused, and no other is asked', async () => {
  const { carry, servers } = await town([{ replies: { RCPT: '550 5.1.1 nobody' } }, {}])
  const route: Route = { kind: 'smarthost', ...hop('mx0.test'), instead: [hop('mx1.test')] }
  assert.equal(short(await carry(undefined, route)), 'failed 5.1.1 mx0.test')
  assert.equal(servers[1]?.connections, 0)
})

test('a domain whose hosts are down goes by the hop behind them; one that is not there fails', async () => {
  const { carry, servers, internet } = await town([{ greeting: '421 no' }, {}])
  internet.zones.set('y.test', { mx: [[1, 'mx0.test']] })
  const instead = [hop('mx1.test')]
  assert.equal(
    short(await carry(load(['b@y.test']), { kind: 'mx', domain: 'y.test', instead })),
    'delivered 2.0.0 mx1.test',
  )
  assert.equal(
    short(await carry(load(['b@gone.test']), { kind: 'mx', domain: 'gone.test', instead })),
    'failed 5.1.2',
  )
  assert.equal(servers[1]?.connections, 1)
})

test('8-bit mail is converted or sent as it is by the hop that takes it, first or second', async () => {
  const { carry, servers } = await town([{ extensions: [] }])
  const eight = load(['b@x.test'], 'Subject: x\r\n\r\ncaf\xe9\r\n')
  const mail = { ...eight, content: () => Buffer.from('Subject: x\r\n\r\ncaf\xe9\r\n', 'latin1') }
  const by = (eightBit: 'convert' | 'send-anyway') => ({
    kind: 'smarthost' as const,
    ...hop('mx0.test', { eightBit }),
  })
  await carry(mail, by('send-anyway'))
  await carry(mail, by('convert'))
  assert.match(servers[0]?.messages[0] ?? '', /caf\xe9/)
  assert.match(servers[0]?.messages[1] ?? '', /caf=E9/)
})
