/** When memory is given back: once a thread has come to rest, and not again before it was at work and has grown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spareWith, spareYoungWith } from './spare.ts'

const LOOK_MS = 500
const MB = 1024 * 1024

function thread() {
  const at = { cpuMs: 0, nowMs: 0, residentOctets: 100 * MB, heapOctets: 30 * MB, collected: 0 }
  const look = spareWith(
    {
      cpuMs: () => at.cpuMs,
      nowMs: () => at.nowMs,
      residentOctets: () => at.residentOctets,
      heapOctets: () => at.heapOctets,
      collect: () => {
        at.collected++
        at.cpuMs += 40
      },
    },
    LOOK_MS,
  )
  /** Half a second passes, in which the thread uses so much of its CPU. */
  const passes = (cpuMs: number) => {
    at.nowMs += LOOK_MS
    at.cpuMs += cpuMs
    look()
    return at.collected
  }
  return { at, passes }
}

test('a thread at rest collects once, and once more when it has worked and grown again', () => {
  const { at, passes } = thread()
  assert.equal(passes(200), 0, 'nothing is collected at work')
  assert.equal(passes(1), 1)
  for (let n = 0; n < 10; n++) assert.equal(passes(1), 1)
  at.residentOctets += 20 * MB
  assert.equal(passes(1), 1, 'it was at rest all the time')
  assert.equal(passes(200), 1)
  assert.equal(passes(1), 2)
  assert.equal(passes(200), 2)
  for (let n = 0; n < 10; n++) assert.equal(passes(1), 2, 'it has not grown')
})

test('a collection is followed by a pause of fifty times its time', () => {
  const { at, passes } = thread()
  assert.equal(passes(1), 1)
  at.residentOctets += 20 * MB
  passes(200)
  // 40 ms it took: 2 s.
  for (let n = 0; n < 2; n++) assert.equal(passes(1), 1)
  assert.equal(passes(1), 2)
})

test('a large heap is left alone', () => {
  const { at, passes } = thread()
  at.heapOctets = 200 * MB
  for (let n = 0; n < 10; n++) assert.equal(passes(1), 0)
})

test('the young generation is given back at every look at rest, until it is small', () => {
  let cpuMs = 0
  let youngMb = 8
  let collected = 0
  const gauges = {
    cpuMs: () => cpuMs,
    youngOctets: () => youngMb * MB,
    collectYoung: () => {
      collected++
      cpuMs += 40
    },
  }
  const look = spareYoungWith(gauges, LOOK_MS)
  cpuMs += 200
  look()
  assert.equal(collected, 0, 'at work')
  for (let n = 1; n <= 3; n++) {
    look()
    assert.equal(collected, n, 'what the collection took is no work')
  }
  youngMb = 1
  look()
  assert.equal(collected, 3)
})
