/** How many recipients, messages and commands at once a hop is given: by its LIMITS, by its 452, by its silence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, short, town } from '../../test/kit/smtp-town.ts'
import type { Route } from '../route/route.ts'
import type { FakeServer, Script } from './fake-server.ts'
import { sendMail } from './send.ts'

const named = (count: number, domain = 'x.test') =>
  Array.from({ length: count }, (_, at) => `u${at}@${domain}`)

/** How many RCPT commands each transaction had. */
function groups(server: FakeServer | undefined): string {
  const sizes: number[] = []
  for (const line of server?.lines ?? []) {
    if (line.startsWith('MAIL')) sizes.push(0)
    else if (line.startsWith('RCPT')) sizes.push((sizes.pop() ?? 0) + 1)
  }
  return sizes.join(' ')
}

const all = (what: string, count: number) => Array.from({ length: count }, () => what).join(', ')
const delivered = 'delivered 2.0.0 mx0.test'
const limited = (parameters: string): Script => ({
  extensions: ['PIPELINING', `LIMITS ${parameters}`],
})

const cases: readonly {
  readonly title: string
  readonly script: Script
  readonly recipients: readonly string[]
  readonly outcomes: string
  readonly groups: string
  readonly connections?: number
}[] = [
  {
    title: 'RCPTMAX splits a message into transactions on one connection',
    script: limited('RCPTMAX=3'),
    recipients: named(8),
    outcomes: all(delivered, 8),
    groups: '3 3 2',
  },
  {
    title: 'MAILMAX ends each connection, and the rest goes by another to the same host',
    script: limited('RCPTMAX=2 MAILMAX=2'),
    recipients: named(9),
    outcomes: all(delivered, 9),
    groups: '2 2 2 2 1',
    connections: 3,
  },
  {
    title: 'a host that says 452 has shown how many it takes, and hears no more than that again',
    script: {
      replies: { RCPT: (_line, nth) => (nth <= 10 ? '250 ok' : '452 4.5.3 too many') },
    },
    recipients: named(35),
    outcomes: all(delivered, 35),
    groups: '35 10 10 5',
  },
  {
    title: 'where all that were taken in are refused by name, the others are offered at once',
    script: {
      replies: {
        RCPT: (line, nth) =>
          nth > 2 ? '452 too many' : line.includes('u3') ? '250 ok' : '550 5.1.1 no',
      },
    },
    recipients: named(4),
    outcomes: `${all('failed 5.1.1 mx0.test', 3)}, ${delivered}`,
    groups: '4 2',
  },
  {
    title: 'where the message must wait, those that were too many wait with it',
    script: {
      replies: {
        RCPT: (_line, nth) => (nth > 2 ? '452 4.5.3 no' : '250 ok'),
        '.': '451 4.7.1 grey',
      },
    },
    recipients: named(4),
    outcomes: `${all('deferred 4.7.1 mx0.test', 2)}, ${all('deferred 4.5.3 mx0.test', 2)}`,
    groups: '4',
  },
  {
    title: 'a host that takes nobody at once is not asked for ever',
    script: { replies: { RCPT: '452 4.5.3 too many' } },
    recipients: named(3),
    outcomes: all('deferred 4.5.3 mx0.test', 3),
    groups: '3',
  },
  {
    title:
      'a host that hangs up after each message gets those that were too many by another connection',
    script: {
      replies: {
        RCPT: (_line, nth) => (nth > 2 ? '452 4.5.3 no' : '250 ok'),
        MAIL: (_line, nth) => (nth > 1 ? '421 4.7.0 one at a time' : '250 ok'),
      },
    },
    recipients: named(5),
    outcomes: all(delivered, 5),
    groups: '5 2 2 1 1',
    connections: 3,
  },
  {
    title: 'a host that loses what was pipelined is spoken to step by step',
    script: { flushes: true },
    recipients: named(2),
    outcomes: all(delivered, 2),
    groups: '0 2',
    connections: 2,
  },
]

for (const { title, script, recipients, outcomes, groups: expected, connections = 1 } of cases) {
  test(title, async () => {
    const { carry, servers } = await town([script, {}])
    assert.equal(short(await carry(load(recipients))), outcomes)
    assert.equal(groups(servers[0]), expected)
    assert.equal(servers[0]?.connections, connections)
    assert.equal(servers[1]?.connections, 0)
  })
}

test('RCPTDOMAINMAX of a smart host is kept on each connection', async () => {
  const { carry, servers } = await town([limited('RCPTDOMAINMAX=2')])
  const route: Route = { kind: 'smarthost', host: 'mx0.test', port: 25, tls: 'never' }
  const recipients = ['a@a.test', 'b@b.test', 'c@c.test', 'b2@B.test', 'd@d.test']
  assert.equal(short(await carry(load(recipients), route)), all(delivered, 5))
  assert.equal(groups(servers[0]), '3 2')
  assert.equal(servers[0]?.connections, 2)
  assert.equal(short(await carry(load(['e@e.test']), route)), delivered)
  assert.equal(servers[0]?.connections, 3)
})

test('a host that lost what was pipelined is remembered for an hour', async () => {
  const { carry, servers, internet } = await town([{ flushes: true }])
  assert.equal(short(await carry()), delivered)
  await internet.advance('1m')
  assert.equal(short(await carry()), delivered)
  assert.equal(servers[0]?.connections, 3)
  await internet.advance('61m')
  assert.equal(short(await carry()), delivered)
  assert.equal(servers[0]?.connections, 5)
})

test('a kept connection with no MAILMAX left is no place to go', async () => {
  const { carry, servers } = await town([limited('MAILMAX=2')])
  for (let i = 0; i < 5; i++) assert.equal(short(await carry()), delivered)
  assert.equal(servers[0]?.connections, 3)
})

test('sendMail splits a message too', async () => {
  const { world, servers, internet } = await town([limited('RCPTMAX=2')])
  const { envelope, content } = load(named(5))
  const sending = sendMail(world, { host: 'mx0.test', port: 25, envelope, content: content() })
  assert.equal(short(await internet.complete(sending)), all(delivered, 5))
  assert.equal(groups(servers[0]), '2 2 1')
})
