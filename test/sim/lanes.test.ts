/** Destinations that are down, silent, flap or come back: what they cost, and what they do to others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { House } from '../../src/server/house.ts'
import { contextOf } from '../../src/server/operation/context.ts'
import { changeSome } from '../../src/server/operation/queue-change.ts'
import { createCarriers } from './carriers.ts'

const to = (domain: string, count: number) =>
  Array.from({ length: count }, (_, n) => `u${n}@${domain}`)

for (const seed of [1, 2, 3]) {
  test(`a dead destination costs a probe at a time, however much waits for it (seed ${seed})`, async () => {
    const carriers = await createCarriers({ seed })
    const alive = await carriers.domain('alive.test')
    const dead = await carriers.domain('dead.test')
    carriers.off('dead.test')
    await carriers.send(to('dead.test', 300))
    await carriers.send(to('alive.test', 50))
    await carriers.advance('2 hours')
    assert.equal(alive.messages.length, 50)
    // At 0, 1, 3, 7, 15, 31 and 63 minutes, and a row's own times between.
    const attempts = await carriers.attempts('dead.test')
    assert.ok(attempts <= 12, `${attempts} attempts for 300 messages`)
    const rows = await carriers.rows('dead.test')
    const waiting = rows.find(row => row.lane === 'mx:dead.test')
    assert.ok((waiting?.rows ?? 0) >= 285, JSON.stringify(rows))
    // It comes back: all goes, one after the other at first.
    await carriers.on('dead.test')
    await carriers.advance('70 minutes')
    assert.equal(dead.messages.length, 300)
    assert.ok(dead.openMax <= 20)
    assert.equal(await carriers.count('dead.test', 'queued'), 0)
  })
}

test('recovery begins with one connection and doubles', async () => {
  const carriers = await createCarriers({ seed: 4 })
  const server = await carriers.domain('b.test')
  carriers.off('b.test', 'silence')
  await carriers.send(to('b.test', 400))
  await carriers.advance('5 minutes')
  await carriers.on('b.test')
  server.openMax = 0
  const seen: number[] = []
  await carriers.internet.run(() => {
    if (seen.at(-1) !== server.open && server.open > Math.max(0, ...seen)) seen.push(server.open)
    return server.messages.length === 400
  })
  assert.equal(seen[0], 1)
  assert.ok(server.openMax <= 20)
  // When its first connection is open, no second one is opened before the first message is through.
  assert.deepEqual(
    seen,
    Array.from({ length: seen.length }, (_, n) => n + 1),
  )
})

test("an operator's retry asks a host that is down now, by the very row that found it down", async () => {
  const carriers = await createCarriers({ seed: 6, config: { queue: { retry: ['1h'] } } })
  const dead = await carriers.domain('dead.test')
  const gone = await carriers.domain('gone.test')
  carriers.off('dead.test')
  carriers.off('gone.test')
  await carriers.send(['u@dead.test', 'u@gone.test'])
  await carriers.advance('1 minute')
  await carriers.on('dead.test')
  await carriers.on('gone.test')
  const context = contextOf(carriers.houses[0] as House)
  const order = { order: 'retry', query: 'to:u@dead.test' } as const
  await carriers.internet.complete(changeSome(context, order))
  await carriers.advance('1 minute')
  assert.equal(dead.messages.length, 1)
  assert.equal(gone.messages.length, 0)
})

test('a row that waits tells the truth, and its sender is told and gets it back in time', async () => {
  const carriers = await createCarriers({ seed: 5 })
  await carriers.domain('a.test')
  await carriers.domain('b.test')
  carriers.off('b.test')
  await carriers.send(to('b.test', 5))
  await carriers.advance('3 hours')
  assert.equal(await carriers.count('a.test', 'relayed'), 0)
  await carriers.advance('2 hours')
  assert.equal(await carriers.count('a.test', 'relayed'), 5, 'a delay warning for each message')
  await carriers.advance('5 days')
  assert.equal(await carriers.count('b.test', 'expired'), 5)
  assert.equal(await carriers.count('a.test', 'relayed'), 10)
})

test('what comes into its lane when the time of the lane has just come is not left there', async () => {
  for (let seed = 20; seed < 30; seed++) {
    const carriers = await createCarriers({
      seed,
      config: { queue: { retry: ['700 ms'] } },
      writeMs: name => ({ 'queue.park': 300, 'queue.laneDown': 20 })[name] ?? 0,
    })
    await carriers.domain('b.test')
    carriers.off('b.test')
    await carriers.send(to('b.test', 1))
    await carriers.advance('200 ms')
    await carriers.on('b.test')
    await carriers.advance('4 seconds')
    assert.equal(await carriers.count('b.test', 'relayed'), 1, `seed ${seed}`)
  }
})

test("a host that answers nothing takes nobody's place, and one connection", async () => {
  const config = { queue: { concurrency: 100 }, outbound: { connections: 20 } }
  const carriers = await createCarriers({ seed: 6, config })
  for (let n = 0; n < 40; n++) {
    await carriers.domain(`tar${n}.test`, { greeting: 'silence' })
  }
  const alive = await carriers.domain('alive.test')
  await carriers.send(Array.from({ length: 400 }, (_, n) => `u${n}@tar${n % 40}.test`))
  await carriers.advance('10 seconds')
  await carriers.send(to('alive.test', 200), 'jane@a.test')
  await carriers.advance('20 seconds')
  assert.equal(alive.messages.length, 200)
  const opened = [...carriers.servers.values()].map(({ fake }) => fake.connections)
  assert.ok(Math.max(...opened.slice(0, 40)) <= 2)
})

test('a host that is ended by 421 in mid-session is asked again, and gets it all', async () => {
  const carriers = await createCarriers({ seed: 7 })
  let sessions = 0
  const server = await carriers.domain('b.test', {
    replies: {
      // Every session ends at its third message.
      MAIL: (_line, nth) => {
        if (nth === 1) sessions++
        return nth === 3 ? '421 4.7.0 enough for now' : '250 ok'
      },
    },
  })
  await carriers.send(to('b.test', 60))
  await carriers.advance('30 minutes')
  assert.equal(server.messages.length, 60)
  assert.ok(sessions >= 30)
})

test("greylisting is the message's matter, not the host's: nothing closes", async () => {
  const carriers = await createCarriers({ seed: 8 })
  const seen = new Set<string>()
  await carriers.domain('grey.test', {
    replies: {
      RCPT: line => {
        if (seen.has(line)) return '250 ok'
        seen.add(line)
        return '450 4.7.1 greylisted'
      },
    },
  })
  await carriers.send(to('grey.test', 100))
  await carriers.advance('3 minutes')
  assert.equal(await carriers.count('grey.test', 'relayed'), 100)
  assert.equal(await carriers.attempts('grey.test'), 200)
})

test('two nodes send one probe', async () => {
  const carriers = await createCarriers({ seed: 9, nodes: 2 })
  await carriers.domain('dead.test')
  carriers.off('dead.test')
  await carriers.send(to('dead.test', 50), 'joe@a.test', 0)
  await carriers.send(to('dead.test', 50), 'joe@a.test', 1)
  await carriers.advance('2 hours')
  const attempts = await carriers.attempts('dead.test')
  assert.ok(attempts <= 16, `${attempts} attempts`)
  await carriers.on('dead.test')
  await carriers.advance('70 minutes')
  assert.equal(await carriers.count('dead.test', 'relayed'), 100)
})

for (const [seed, peersMeet] of [
  [10, 'resets'],
  [11, 'silence'],
] as const) {
  test(`a host that flaps gets it all, each message once or in doubt, at a bounded cost (${peersMeet})`, async () => {
    const carriers = await createCarriers({ seed, nodes: 2 })
    const server = await carriers.domain('flap.test')
    const alive = await carriers.domain('alive.test')
    const { random } = (carriers.hosts[0] as (typeof carriers.hosts)[0]).world
    // Up for some seconds, down for minutes, while mail keeps coming.
    for (let round = 0; round < 20; round++) {
      await carriers.send(to('flap.test', 10), 'joe@a.test', round % 2)
      await carriers.send(to('alive.test', 5), 'joe@a.test', round % 2)
      await carriers.advance(`${1 + random.below(5)} seconds`)
      carriers.off('flap.test', peersMeet)
      await carriers.advance(`${1 + random.below(9)} minutes`)
      await carriers.on('flap.test')
    }
    await carriers.advance('2 hours')
    assert.equal(await carriers.count('flap.test', 'relayed'), 200)
    assert.equal(alive.messages.length, 100)
    const subjects = new Set(server.messages.map(each => /Subject: (\d+)/.exec(each)?.[1]))
    assert.equal(subjects.size, 200)
    const copies = server.messages.length - 200
    const doubts = await carriers.doubts('flap.test')
    assert.ok(copies <= doubts, `${copies} copies, ${doubts} in doubt`)
    const attempts = await carriers.attempts('flap.test')
    assert.ok(attempts <= 200 + 20 * 20, `${attempts} attempts`)
  })
}
