/** When there is too much to do, and when no more. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../world/log.ts'
import { createWorld } from '../world/sim/index.ts'
import { Load, type LoadLimits } from './load.ts'

function watch(limits: Partial<LoadLimits> = {}) {
  const internet = createWorld({ seed: 1 })
  const { world } = internet.host({ name: 'a.test', addresses: ['192.0.2.1'] })
  const now = { memoryOctets: 100, memoryMostOctets: 1000, heapShare: 0.1, lateMs: 0, short: false }
  const told: string[] = []
  const say = (event: string, facts?: object) =>
    void told.push(`${event} ${(facts as { cause: string }).cause}`)
  const clock = {
    ...{ now: () => world.clock.now(), monotonic: () => world.clock.monotonic() },
    // A loop that runs late rings late.
    after: (ms: number, run: () => void) => world.clock.after(ms + now.lateMs, run),
  }
  const load = new Load({
    clock,
    log: { ...silent, warn: say, info: say },
    limits: () => ({ memory: 0, heap: 90, delay: 1000, ...limits }),
    vitals: () => now,
    diskShort: () => now.short,
  })
  load.start()
  return { now, load, told, advance: (ms: number) => internet.advance(ms) }
}

test('memory beyond the limit turns work away until it is well below, told once each way', async () => {
  const { now, load, told, advance } = watch()
  for (const [memoryOctets, shedding] of [
    [790, false],
    [810, true],
    [790, true],
    [730, true],
    [710, false],
    [790, false],
  ] as const) {
    now.memoryOctets = memoryOctets
    await advance(1000)
    assert.equal(load.shedding, shedding, String(memoryOctets))
  }
  assert.deepEqual(told, ['overload.begins memory', 'overload.ends memory'])
})

test('what the setting says counts in place of what the machine has', async () => {
  const { now, load, advance } = watch({ memory: 500 })
  now.memoryOctets = 501
  await advance(1000)
  assert.ok(load.shedding)
})

test('one late turn of the loop is no overload, late turns again and again are', async () => {
  const { now, load, advance } = watch()
  now.lateMs = 4000
  await advance(500)
  now.lateMs = 0
  await advance(20_000)
  assert.equal(load.shedding, false)
  now.lateMs = 2000
  await advance(30_000)
  assert.ok(load.shedding)
  assert.deepEqual(load.causes, ['delay'])
  now.lateMs = 0
  await advance(20_000)
  assert.equal(load.shedding, false)
})

test('a heap that is nearly full turns work away; a short disk is told and turns nobody away', async () => {
  const { now, load, advance } = watch()
  now.heapShare = 0.95
  await advance(1000)
  assert.deepEqual([load.shedding, load.causes], [true, ['heap']])
  now.heapShare = 0.5
  now.short = true
  await advance(10_000)
  assert.deepEqual([load.shedding, load.causes], [false, ['disk']])
})
