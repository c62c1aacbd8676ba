import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defer, type Schedule } from './schedule.ts'

const schedule: Schedule = {
  retryMs: [1_000, 10_000],
  delayWarningMs: 60_000,
  expireMs: 120_000,
  jitter: 0.1,
}
const facts = { now: 0, receivedAt: 0, attempts: 1, warned: false, spread: 0 }

test('the waits follow the list, and the last one repeats', () => {
  const waits = [1, 2, 3, 9].map(attempts => defer(schedule, { ...facts, attempts }).dueAt)
  assert.deepEqual(waits, [1_000, 10_000, 10_000, 10_000])
})

test('chance lengthens a wait by its share and no more', () => {
  for (const [jitter, spread, dueAt] of [
    [0.1, 0.5, 1_050],
    [1, 0.5, 1_500],
    [0, 0.999, 1_000],
  ] as const) {
    assert.equal(defer({ ...schedule, jitter }, { ...facts, spread }).dueAt, dueAt)
  }
})

test('the sender is warned once, by an attempt that is due anyway, and the mail ends at its age', () => {
  assert.deepEqual(defer(schedule, { ...facts, now: 59_500 }), {
    expired: false,
    warn: false,
    dueAt: 60_500,
  })
  assert.equal(defer(schedule, { ...facts, now: 60_000 }).warn, true)
  assert.equal(defer(schedule, { ...facts, now: 60_000, warned: true }).warn, false)
  assert.equal(defer(schedule, { ...facts, now: 119_500, warned: true }).dueAt, 120_000)
  assert.equal(defer(schedule, { ...facts, now: 120_000, warned: true }).expired, true)
})
