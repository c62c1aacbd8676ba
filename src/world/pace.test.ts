/** Who keeps the loop busy rests for it; whoever was slow by chance is soon back at full speed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from './clock.ts'
import { Pace, turnMs } from './pace.ts'

/** A clock whose timers ring when they are told to, and what goes on at its time. */
function place() {
  const timers: { readonly delayMs: number; readonly run: () => void }[] = []
  const time = { now: 0, eachMs: 0 }
  const clock: Clock = {
    now: () => time.now,
    monotonic: () => time.now,
    after: (delayMs, run) => {
      const timer = { delayMs, run }
      timers.push(timer)
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) }
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
  return { time, timers, paced }
}

const read = Buffer.alloc(65_536, 'x')

test('what is quick goes on as it comes', () => {
  const { time, timers, paced } = place()
  const { pace, taken } = paced()
  time.eachMs = 2
  for (let n = 0; n < 100; n++) pace.received(read)
  assert.ok(!pace.waits && timers.length === 0)
  assert.equal(taken.length, 100)
})

test('who took long rests longer, and is given pieces of a millisecond, in order, his end last', () => {
  const { timers, paced } = place()
  const { pace, taken } = paced(octets => octets / 4096)
  pace.received(read)
  assert.ok(pace.waits && !pace.holds)
  assert.equal(timers[0]?.delayMs, 32)
  timers.shift()?.run()
  assert.ok(!pace.waits)
  pace.received(read)
  pace.ended()
  assert.ok(pace.holds)
  assert.equal(timers[0]?.delayMs, 0, 'others have their turn between two pieces')
  for (let timer = timers.shift(); timer !== undefined; timer = timers.shift()) timer.run()
  assert.deepEqual(taken, [65_536, ...Array(16).fill(4096), -1])
})

test('those who rest have a share of the loop together, however many they are', () => {
  const { timers, paced, time } = place()
  time.eachMs = 10
  const all = Array.from({ length: 10 }, () => paced().pace)
  for (const pace of all) pace.received(read)
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [20, 40, 60, 80, 100, 120, 140, 160, 180, 200],
  )
  for (const pace of all) pace.cancel()
  const { pace } = paced()
  pace.received(read)
  assert.equal(timers.at(-1)?.delayMs, 20, 'who is gone rests no more')
  pace.cancel()
})

test('who was slow once, by chance, is at full speed after a few pieces', () => {
  const { time, timers, paced } = place()
  const { pace, taken } = paced()
  time.eachMs = 30
  pace.received(read)
  timers.shift()?.run()
  time.eachMs = 0.01
  pace.received(read)
  for (let timer = timers.shift(); timer !== undefined; timer = timers.shift()) timer.run()
  assert.ok(taken.length < 10, taken.join(' '))
  pace.received(read)
  assert.equal(taken.at(-1), read.length)
})

test('who goes on with what he has read waits for the next turn, and for others who wait as long as they take', () => {
  const { timers, paced } = place()
  const all = Array.from({ length: 4 }, () => paced().pace)
  for (const pace of all) pace.spent(2, true)
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [0, 4, 8, 12],
  )
  assert.ok(all.every(pace => pace.rests))
  assert.ok(turnMs() < 2, 'and his turns are shorter')
  for (const pace of all) pace.cancel()
  const { pace } = paced()
  pace.spent(1, false)
  assert.ok(!pace.rests, 'what is done is done')
})
