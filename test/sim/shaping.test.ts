/** Rules of shaping: what is sent never exceeds them, by one node or by two. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explain } from '../../src/server/explain/explain.ts'
import type { House } from '../../src/server/house.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import {
  listDestinations,
  resumeDestination,
  suspendDestination,
} from '../../src/server/operation/destination.ts'
import { list } from '../../src/server/operation/queue.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import type { Config } from '../../src/server/settings/settings.ts'
import { batchOf } from '../../src/shape/rate.ts'
import { type Carriers, createCarriers } from './carriers.ts'

const to = (domain: string, count: number) =>
  Array.from({ length: count }, (_, n) => `u${n}@${domain}`)

/** The most messages in any window of that length. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0
  let first = 0
  for (const [i, at] of times.entries()) {
    while ((times[first] as number) <= at - ms) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}

/** Notes when each message is begun, by the domain's own server. */
async function timed(carriers: Carriers, domain: string, times: number[], mx?: string) {
  const server = await carriers.domain(domain, {
    replies: {
      MAIL: () => {
        times.push(carriers.internet.now)
        return '250 ok'
      },
    },
  })
  if (mx !== undefined) carriers.internet.zones.set(domain, { mx: [[10, mx]] })
  return server
}

test('batches are so far apart that no window sees more than the rate', () => {
  const rates = fc.record({
    messages: fc.integer({ min: 1, max: 100_000 }),
    perMs: fc.integer({ min: 1000, max: 86_400_000 }),
  })
  fc.assert(
    fc.property(rates, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (rate, late) => {
      const { tokens, everyMs, validMs } = batchOf(rate)
      // Grants as dense as they can be, each used at any moment while it is good.
      const uses: number[] = []
      for (let n = 0; n < 60; n++) {
        const at = n * everyMs + Math.floor((late[n % Math.max(1, late.length)] ?? 0) * validMs)
        uses.push(at)
      }
      uses.sort((a, b) => a - b)
      const batches = mostWithin(uses, rate.perMs)
      assert.ok(batches * tokens <= rate.messages, `${batches} x ${tokens} of ${rate.messages}`)
      // And it costs no more than a tenth and a batch.
      assert.ok((rate.perMs / everyMs) * tokens >= rate.messages * 0.45 || rate.messages < 3)
    }),
  )
})

for (const nodes of [1, 2]) {
  for (const seed of [1, 2]) {
    test(`a rate holds for ${nodes} node(s) together, and is used (seed ${seed})`, async () => {
      const shaping = [{ name: 'slow', match: { domain: 'b.test' }, rate: '60/min' }]
      const carriers = await createCarriers({ seed, nodes, config: { shaping } })
      const times: number[] = []
      const other = await carriers.domain('other.test')
      await timed(carriers, 'b.test', times)
      for (let n = 0; n < nodes; n++) {
        await carriers.send(to('b.test', 200 / nodes), 'joe@a.test', n)
        await carriers.send(to('other.test', 20), 'jane@a.test', n)
      }
      await carriers.advance('10 seconds')
      assert.equal(other.messages.length, 20 * nodes, 'others do not wait')
      await carriers.advance('4 minutes')
      assert.equal(times.length, 200)
      assert.ok(mostWithin(times, 60_000) <= 60, `${mostWithin(times, 60_000)} in a minute`)
    })
  }
}

test('connections to a provider are counted over its domains, by its hosts', async () => {
  const shaping = [
    { name: 'big', match: { mx: '*.big.test' }, connections: 3, messagesPerConnection: 5 },
  ]
  const carriers = await createCarriers({ seed: 3, config: { shaping } })
  const provider = await carriers.domain('big.test')
  carriers.internet.zones.set('mail.big.test', { a: ['10.0.0.1'] })
  for (let n = 0; n < 10; n++) {
    carriers.internet.zones.set(`c${n}.test`, { mx: [[10, 'mail.big.test']] })
  }
  await carriers.send(Array.from({ length: 200 }, (_, n) => `u${n}@c${n % 10}.test`))
  await carriers.advance('5 minutes')
  assert.equal(provider.messages.length, 200)
  assert.ok(provider.openMax <= 3, `${provider.openMax} at once`)
  assert.ok(provider.connections >= 40)
})

test('a known reply suspends all that the rule matches, for its time, and it can be seen', async () => {
  const shaping = [
    {
      name: 'big',
      match: { mx: '*.big.test' },
      suspend: [{ reply: '421*4.7.28*', for: '30m' }],
    },
  ]
  const carriers = await createCarriers({ seed: 4, config: { shaping } })
  let enough = true
  const provider = await carriers.domain('big.test', {
    replies: {
      MAIL: (_line, nth) =>
        enough && nth > 2 ? '421 4.7.28 an unusual rate of unsolicited mail' : '250 ok',
    },
  })
  carriers.internet.zones.set('mail.big.test', { a: ['10.0.0.1'] })
  for (const name of ['one.test', 'two.test']) {
    carriers.internet.zones.set(name, { mx: [[10, 'mail.big.test']] })
  }
  await carriers.send(to('one.test', 30))
  await carriers.advance('1 minute')
  const before = provider.connections
  const taken = provider.messages.length
  assert.ok(taken < 30)
  await carriers.send(to('two.test', 1))
  await carriers.send(to('two.test', 5))
  await carriers.advance('20 minutes')
  // The other domain asks once, since its hosts were not known; behind that nothing goes.
  assert.ok(provider.connections <= before + 1)
  enough = false
  await carriers.advance('15 minutes')
  await carriers.advance('60 minutes')
  assert.equal(provider.messages.length, 36)
})

test('a rule for all mail holds for what a smart host takes, and who waits hears of which rate', async () => {
  const shaping = [{ name: 'all', match: { domain: '*' }, rate: '6/min' }]
  const smarthost = { host: '10.0.0.1', port: 25, tls: 'never' } as const
  const carriers = await createCarriers({ seed: 6, config: { shaping, outbound: { smarthost } } })
  const times: number[] = []
  await timed(carriers, 'relay.test', times)
  await carriers.send([...to('b.test', 10), ...to('c.test', 10)])
  await carriers.advance('59 seconds')
  assert.ok(times.length >= 5 && times.length <= 6, `${times.length}`)
  const { items } = await carriers.internet.complete(
    list(contextOf(carriers.houses[0] as House), { query: '' }),
  )
  for (const { reason } of items) assert.match(reason ?? '', /^no more than 6 messages in 1m go/)
  await carriers.advance('5 minutes')
  assert.equal(times.length, 20)
})

const RELAY = { host: '10.0.0.1', port: 25, tls: 'never' } as const

/** A house whose mail all goes by one smart host, which notes when it is told of which recipient. */
async function relaying(
  seed: number,
  shaping: Config['shaping'],
  more: { nodes?: number; outbound?: Config['outbound']; rcpt?: (line: string) => string } = {},
) {
  const { nodes = 1, outbound, rcpt } = more
  const relayDomains = ['*.test']
  const config = { shaping, relayDomains, outbound: { smarthost: RELAY, ...outbound } }
  const carriers = await createCarriers({ seed, nodes, config })
  const told: { domain: string; at: number }[] = []
  const relay = await carriers.domain('relay.test', {
    replies: {
      RCPT: line => {
        const reply = rcpt?.(line) ?? '250 ok'
        const domain = /@([^>]*)>/.exec(line)?.[1] ?? ''
        if (reply.startsWith('250')) told.push({ domain, at: carriers.internet.now })
        return reply
      },
    },
  })
  const timesOf = (domain: string) => told.filter(one => one.domain === domain).map(one => one.at)
  const context = (node = 0) => contextOf(carriers.houses[node] as House)
  return { carriers, relay, timesOf, context }
}

test('a rate for a domain holds by a smart host, and other recipients of its messages do not wait', async () => {
  const shaping = [{ name: 'slow', match: { domain: '*.slow.test' }, rate: '6/min' }]
  const { carriers, timesOf, context } = await relaying(7, shaping)
  await carriers.send(Array.from({ length: 20 }, (_, n) => [`u${n}@b.slow.test`, `u${n}@c.test`]))
  await carriers.advance('59 seconds')
  assert.equal(timesOf('c.test').length, 20)
  const slow = timesOf('b.slow.test').length
  assert.ok(slow >= 5 && slow <= 6, `${slow}`)
  const { items } = await carriers.internet.complete(list(context(), { query: '' }))
  assert.equal(items.length, 20 - slow)
  const asked = {
    from: 'joe@a.test',
    to: ['u@b.slow.test', 'u@c.test'],
  } as const
  const { recipients } = await carriers.internet.complete(
    explain(carriers.houses[0] as House, asked),
  )
  assert.deepEqual(
    recipients.map(({ shaping }) => shaping),
    [['slow'], undefined],
  )
  for (const { reason } of items) assert.match(reason ?? '', /^no more than 6 messages in 1m go/)
  await carriers.advance('5 minutes')
  assert.equal(timesOf('b.slow.test').length, 20)
  assert.ok(mostWithin(timesOf('b.slow.test'), 60_000) <= 6)
})

test('connections for a domain by a smart host are its own, and the hop has no more than its rule allows', async () => {
  const shaping = [
    { name: 'few', match: { domain: 'b.test' }, connections: 1, messagesPerConnection: 2 },
    { name: 'relay', match: { hop: '10.0.0.1' }, connections: 3 },
  ]
  const { carriers, relay, timesOf } = await relaying(8, shaping)
  const { limits } = (carriers.houses[0] as House).worker.shape
  const counted = { now: 0, most: 0 }
  const [opened, shut] = [limits.opened.bind(limits), limits.shut.bind(limits)]
  limits.opened = site => {
    counted.most = Math.max(counted.most, ++counted.now)
    opened(site)
  }
  limits.shut = site => {
    counted.now--
    shut(site)
  }
  await carriers.send([...to('b.test', 10), ...to('c.test', 60)])
  await carriers.advance('2 minutes')
  assert.deepEqual([timesOf('b.test').length, timesOf('c.test').length], [10, 60])
  assert.deepEqual(counted, { now: 0, most: 3 })
  assert.ok(relay.connections >= 6, `${relay.connections} connections`)
})

test('a reply of a smart host that asks for a pause stops the domain that the rule names, and no other', async () => {
  const shaping = [
    {
      name: 'b',
      match: { domain: 'b.test', hop: '10.0.0.1' },
      suspend: [{ reply: '450*enough*', for: '30m' }],
    },
  ]
  let asked = 0
  const rcpt = (line: string) => {
    if (!line.includes('@b.test')) return '250 ok'
    asked++
    return asked <= 3 ? '450 4.7.1 enough for now' : '250 ok'
  }
  const { carriers, timesOf } = await relaying(9, shaping, { rcpt })
  await carriers.send([['a@b.test', 'a@c.test']])
  await carriers.advance('10 seconds')
  await carriers.send(Array.from({ length: 5 }, (_, n) => [`u${n}@b.test`, `u${n}@c.test`]))
  await carriers.advance('20 minutes')
  assert.deepEqual([asked, timesOf('b.test').length, timesOf('c.test').length], [1, 0, 6])
  await carriers.advance('3 hours')
  assert.equal(timesOf('b.test').length, 6)
})

for (const nodes of [1, 2]) {
  test(`a domain that is suspended gets nothing, by a smart host or a named way, of ${nodes} node(s)`, async () => {
    const outbound = { hops: { own: { hostname: 'other.a.test' } } }
    const { carriers, relay, timesOf, context } = await relaying(10 + nodes, [], {
      nodes,
      outbound,
    })
    const done = <T>(work: Promise<T>) => carriers.internet.complete(work)
    // What waits already when the word comes: the hop takes one at a time, and slowly.
    await carriers.send(Array.from({ length: 40 }, (_, n) => [`u${n}@b.test`, `u${n}@c.test`]))
    const reason = 'they asked'
    const input = { name: 'B.test', forMs: 3_600_000, reason }
    const row = await done(suspendDestination(context(), input))
    assert.deepEqual([row.name, row.state], ['domain:b.test', 'suspended'])
    const before = timesOf('b.test').length
    assert.ok(before < 30, `${before} before the word`)
    for (let node = 0; node < nodes; node++) {
      await carriers.send([['a@b.test', 'a@c.test'], 'b@b.test'], 'jane@a.test', node)
    }
    await carriers.advance('50 minutes')
    // One that stands in a group that has left may go.
    const after = timesOf('b.test').length
    assert.ok(after <= before + 10, `${after - before} behind the word`)
    assert.equal(timesOf('c.test').length, 40 + nodes)
    const waiting = 40 - after + 2 * nodes
    const { destinations } = await done(listDestinations(context(), { name: 'b.test' }))
    assert.deepEqual(
      destinations.map(one => [one.name, one.state, one.waiting]),
      [['domain:b.test', 'suspended', waiting]],
    )
    const { items } = await done(list(context(), { query: 'to:*@b.test' }))
    assert.equal(items.length, waiting)
    for (const one of items) assert.match(one.reason ?? '', /^they asked; suspended since/)
    const asked = { from: 'joe@a.test', to: ['b@b.test', 'c@c.test'] } as const
    const { recipients } = await done(explain(carriers.houses[nodes - 1] as House, asked))
    assert.match(recipients[0]?.waits ?? '', /^they asked; suspended since/)
    assert.equal(recipients[1]?.waits, undefined)
    // A way of its own is no way around it.
    await done(changeSome(context(), { query: 'to:b@b.test', order: 'reroute', via: 'own' }))
    await carriers.advance('1 minute')
    assert.equal(timesOf('b.test').length, after)
    const resumed = await done(resumeDestination(context(nodes - 1), { name: 'b.test' }))
    assert.deepEqual(resumed, { name: 'domain:b.test', resumed: true })
    await carriers.advance('2 minutes')
    assert.equal(
      timesOf('b.test').length + (await carriers.count('b.test', 'failed')),
      40 + 2 * nodes,
    )
    assert.ok(relay.messages.length > 0)
  })
}

test('a life that begins knows what was suspended before anything goes', async () => {
  const { carriers, timesOf, context } = await relaying(14, [], { rcpt: () => '250 ok' })
  const done = <T>(work: Promise<T>) => carriers.internet.complete(work)
  await done(suspendDestination(context(), { name: 'b.test', forMs: 3_600_000 }))
  const house = carriers.houses[0] as House
  await done(house.worker.stop(0))
  await carriers.send(to('b.test', 5))
  const again = await createCarriers({
    seed: 15,
    store: carriers.store,
    internet: carriers.internet,
    config: { outbound: { smarthost: RELAY } },
  })
  await again.advance('10 minutes')
  assert.equal(timesOf('b.test').length, 0)
  await again.advance('1 hour')
  assert.equal(timesOf('b.test').length, 5)
})

test('a warm-up allows so many a day', async () => {
  const shaping = [
    {
      name: 'new',
      match: { domain: 'b.test' },
      warmUp: { from: '2030-01-01', perDay: [10, 40] },
    },
  ]
  const carriers = await createCarriers({
    seed: 5,
    config: { shaping, queue: { expire: '10d', delayWarning: '0s' } },
  })
  const times: number[] = []
  await timed(carriers, 'b.test', times)
  await carriers.send(to('b.test', 200))
  await carriers.advance('1 day')
  assert.ok(times.length >= 8 && times.length <= 10, `${times.length} on the first day`)
  await carriers.advance('1 day')
  assert.ok(times.length >= 40 && times.length <= 50, `${times.length} in two days`)
  await carriers.advance('1 day')
  assert.equal(times.length, 200)
})
