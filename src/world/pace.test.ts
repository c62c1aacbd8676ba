/** Who keeps the loop busy rests for it; whoever was slow by chance is soon back at full speed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from './clock.ts'
import { Pace } from './pace.ts'

/** A clock whose timers ring when they are told to, and what goes on at its time. */
function place() {
  interface Ringing {
    readonly delayMs: number
    readonly run: () => void
  }
  const timers = new Set<Ringing>()
  const time = { now: 0, eachMs: 0 }
  const clock: Clock = {
    now: () => time.now,
    monotonic: () => time.now,
    after: (delayMs, run) => {
      const timer = { delayMs, run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
  }
  /** Each piece takes `eachMs`, or what `cost` says. */
  const paced = (cost = (_octets: number) => time.eachMs) => {
    const taken: number[] = []
    const pace = new Pace(clock, {
      take: octets => {
        taken.push(octets.length)
        time.now += cost(octets.length)
      },
      end: () => taken.push(-1),
      settle: () => {},
    })
    return { pace, taken }
  }
  /** Of whom it is known that he is cheap. */
  const cheap = (cost = (_octets: number) => time.eachMs) => {
    let known = false
    const { pace, taken } = paced(octets => (known ? cost(octets) : 0))
    pace.received(read)
    ring()
    known = true
    return { pace, taken, before: taken.splice(0) }
  }
  /** One turn of the loop: all rings that is due in it. */
  const turn = () => {
    for (const timer of [...timers]) if (timers.delete(timer)) timer.run()
  }
  const ring = () => {
    while (timers.size > 0) turn()
  }
  const rests = () => [...timers].map(({ delayMs }) => delayMs).filter(delayMs => delayMs > 0)
  return { time, timers, paced, cheap, turn, ring, rests }
}

const read = Buffer.alloc(65_536, 'x')

test('what is quick goes on as it comes, as soon as that is known', () => {
  const { time, timers, cheap } = place()
  const { pace, taken, before } = cheap()
  assert.deepEqual(before, [16_384, 32_768, 16_384])
  time.eachMs = 2
  for (let n = 0; n < 100; n++) pace.received(read)
  assert.ok(!pace.waits && timers.size === 0)
  assert.equal(taken.length, 100)
})

test('who took long rests longer, and is given pieces of a millisecond, in order, his end last', () => {
  const { rests, ring, cheap } = place()
  const { pace, taken } = cheap(octets => octets / 4096)
  pace.received(read)
  assert.ok(pace.waits && !pace.holds)
  assert.deepEqual(rests(), [32])
  ring()
  assert.ok(!pace.waits)
  pace.received(read)
  pace.ended()
  assert.ok(pace.holds)
  assert.deepEqual(rests(), [], 'others have their turn between two pieces')
  ring()
  assert.deepEqual(taken, [65_536, ...Array(16).fill(4096), -1])
})

test('those who rest have a share of the loop together, however many they are', () => {
  const { rests, cheap, time } = place()
  time.eachMs = 10
  const all = Array.from({ length: 10 }, () => cheap().pace)
  for (const pace of all) pace.received(read)
  assert.deepEqual(rests(), [20, 40, 60, 80, 100, 120, 140, 160, 180, 200])
  for (const pace of all) pace.cancel()
  const { pace } = cheap()
  pace.received(read)
  assert.deepEqual(rests(), [20], 'who is gone rests no more')
  pace.cancel()
})

test('of many who come at once with much, one goes on in each turn, the first first', () => {
  const { turn, ring, paced, cheap } = place()
  const order: number[] = []
  const all = Array.from({ length: 50 }, (_, n) => {
    const { pace, taken } = paced(() => {
      if (taken.length === 1) order.push(n)
      return 1
    })
    return pace
  })
  const quick = cheap(() => 0.1)
  for (const pace of all) pace.received(read.subarray(0, 10_000))
  assert.deepEqual(order, [0], 'no more than a millisecond of them in this turn')
  assert.ok(all.slice(1).every(pace => pace.waits))
  quick.pace.received(read)
  assert.deepEqual(quick.taken, [65_536], 'who is known to be cheap waits for none of them')
  turn()
  turn()
  assert.deepEqual(order, [0, 1, 2])
  all[4]?.cancel()
  ring()
  assert.deepEqual(
    order,
    Array.from({ length: 50 }, (_, n) => n).filter(n => n !== 4),
  )
})

test('a command of one who is not known waits for nobody', () => {
  const { time, paced } = place()
  time.eachMs = 3
  paced().pace.received(read.subarray(0, 10_000))
  const { pace, taken } = paced()
  pace.received(read.subarray(0, 100))
  assert.deepEqual(taken, [100])
})

test('who was slow once, by chance, is at full speed after a few pieces', () => {
  const { time, ring, cheap } = place()
  const { pace, taken } = cheap()
  time.eachMs = 30
  pace.received(read)
  ring()
  time.eachMs = 0.01
  pace.received(read)
  ring()
  assert.ok(taken.length < 10, taken.join(' '))
  pace.received(read)
  assert.equal(taken.at(-1), read.length)
})

test('who goes on with what he has read waits for the next turn, and for others who wait as long as they take', () => {
  const { rests, turn, paced } = place()
  const all = Array.from({ length: 4 }, () => paced().pace)
  for (const pace of all) pace.spent(2, true)
  assert.deepEqual(rests(), [4, 8, 12])
  assert.ok(all.every(pace => pace.rests))
  assert.ok(all[0] && all[0].turnMs < 2, 'and his turns are shorter')
  for (const pace of all) pace.cancel()
  turn()
  const { pace } = paced()
  pace.spent(1, false)
  assert.ok(!pace.rests, 'what is done is done')
})
