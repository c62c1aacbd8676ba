/** Whoever has much to send, or much to be sent to, leaves room for who comes next. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCarriers } from './carriers.ts'

const slow = { replies: { '.': 'silence' } }

test('a sender with thousands waiting delays a newcomer by seconds, not by his queue', async () => {
  const carriers = await createCarriers({ seed: 1, config: { queue: { concurrency: 100 } } })
  const many = Array.from({ length: 1500 }, (_, n) => `u${n}@d${n % 150}.test`)
  for (let n = 0; n < 150; n++) await carriers.domain(`d${n}.test`)
  const other = await carriers.domain('other.test')
  // Each host takes two seconds for a message: hundreds of messages cannot be done in that time.
  carriers.internet.network.faults.latencyMs = [200, 400]
  await carriers.send(many, 'joe@a.test')
  const taken = () =>
    [...carriers.servers.values()].reduce((sum, { fake }) => sum + fake.messages.length, 0)
  const before = taken()
  assert.ok(before < 750, `${before} are done already`)
  await carriers.send(['u@other.test'], 'jane@a.test')
  await carriers.internet.run(() => other.messages.length === 1, '1 hour')
  const between = taken() - before
  assert.ok(between < 400, `${between} of his went before hers`)
  await carriers.advance('1 hour')
  assert.equal(taken(), 1501)
})

test('a destination with thousands waiting leaves room for the others', async () => {
  const carriers = await createCarriers({ seed: 3, config: { queue: { concurrency: 60 } } })
  const big = await carriers.domain('big.test')
  const other = await carriers.domain('other.test')
  carriers.internet.network.faults.latencyMs = [200, 400]
  await carriers.send(
    Array.from({ length: 1000 }, (_, n) => `u${n}@big.test`),
    'joe@a.test',
  )
  const before = big.messages.length
  await carriers.send(
    Array.from({ length: 10 }, (_, n) => `u${n}@other.test`),
    'jane@a.test',
  )
  await carriers.internet.run(() => other.messages.length === 10, '1 hour')
  assert.ok(big.messages.length - before < 250, `${big.messages.length - before} went before`)
  await carriers.advance('3 hours')
  assert.equal(big.messages.length, 1000)
})

test('hosts that swallow messages without a word hold nobody else up for long', async () => {
  const config = { queue: { concurrency: 60 }, outbound: { connections: 20, replyTimeout: '1m' } }
  const carriers = await createCarriers({ seed: 4, config })
  for (let n = 0; n < 30; n++) await carriers.domain(`s${n}.test`, slow)
  const other = await carriers.domain('other.test')
  await carriers.send(
    Array.from({ length: 600 }, (_, n) => `u${n}@s${n % 30}.test`),
    'joe@a.test',
  )
  await carriers.advance('10 seconds')
  await carriers.send(
    Array.from({ length: 50 }, (_, n) => `u${n}@other.test`),
    'jane@a.test',
  )
  await carriers.advance('30 seconds')
  assert.equal(other.messages.length, 50)
})

for (const { waiting, seed, concurrency, mostBefore, within } of [
  { waiting: 600, seed: 6, concurrency: 40, mostBefore: 250, within: '3 hours' },
  { waiting: 500, seed: 5, concurrency: undefined, mostBefore: 400, within: '1 hour' },
] as const) {
  const where = concurrency === undefined ? 'at hand' : 'in the store'
  test(`a sender with hundreds waiting ${where} for one host lets in whoever comes to the same host`, async () => {
    const config = concurrency === undefined ? {} : { queue: { concurrency } }
    const carriers = await createCarriers({ seed, config })
    const one = await carriers.domain('one.test')
    carriers.internet.network.faults.latencyMs = [200, 400]
    const many = Array.from({ length: waiting }, (_, n) => `u${n}@one.test`)
    await carriers.send(many, 'joe@a.test')
    const before = one.messages.length
    await carriers.send(['jane@one.test'], 'jane@a.test')
    const isThere = () => one.lines.some(line => line.includes('<jane@one.test>'))
    await carriers.internet.run(isThere, '1 hour')
    const between = one.messages.length - before
    const counted = concurrency === undefined ? before + between : between
    assert.ok(counted < mostBefore, `${between} of his went before hers`)
    await carriers.advance(within)
    assert.equal(one.messages.length, waiting + 1)
  })
}
