/** Rules of shaping: what is sent never exceeds them, by one node or by two. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { House } from '../../src/server/house.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { list } from '../../src/server/operation/queue.ts'
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
