import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agesFrom, defer, endsAt, type Schedule } from './schedule.ts'

const schedule: Schedule = {
  retryMs: [1_000, 10_000],
  delayWarningMs: 60_000,
  expireMs: 120_000,
  jitter: 0.1,
}
const facts = { now: 0, receivedAt: 0, attempts: 1, warnedAt: null, phase: 0 }

test('the waits follow the list, and the last one repeats', () => {
  const waits = [1, 2, 3, 9].map(attempts => defer(schedule, { ...facts, attempts }).dueAt)
  assert.deepEqual(waits, [1_000, 10_000, 10_000, 10_000])
})

test('chance lengthens a wait by its share and no more', () => {
  for (const [jitter, phase, dueAt] of [
    [0.1, 0.5, 1_050],
    [1, 0.5, 1_500],
    [0, 0.999, 1_000],
  ] as const) {
    assert.equal(defer({ ...schedule, jitter }, { ...facts, phase }).dueAt, dueAt)
  }
})

test('recipients of one message that fail within a step are tried again at one time', () => {
  const slow = { ...schedule, retryMs: [600_000], delayWarningMs: 0, expireMs: 9e9 }
  for (const phase of [0, 0.3, 0.999]) {
    const due = [1, 15_000, 59_000].map(now => {
      const at = 60_000 * phase + now
      return defer(slow, { ...facts, now: at, phase }).dueAt
    })
    assert.equal(new Set(due).size, 1, due.join())
    const [first = 0] = due
    assert.ok(first >= 659_000 && first <= 720_000)
  }
})

test('the sender is warned once, by an attempt that is due anyway, and the mail ends at its age', () => {
  assert.deepEqual(defer(schedule, { ...facts, now: 59_500 }), {
    expired: false,
    warn: false,
    dueAt: 60_500,
  })
  assert.equal(defer(schedule, { ...facts, now: 60_000 }).warn, 'delay')
  assert.equal(defer(schedule, { ...facts, now: 60_000, warnedAt: 60_000 }).warn, false)
  assert.equal(defer(schedule, { ...facts, now: 119_500, warnedAt: 60_000 }).dueAt, 120_000)
  assert.equal(defer(schedule, { ...facts, now: 120_000, warnedAt: 60_000 }).expired, true)
})

test('RFC 2852 §4.1.3: at the time that its sender has set, R ends it and N tells him once', () => {
  const later = { ...schedule, delayWarningMs: 10_000_000, expireMs: 10_000_000 }
  const at = (mode: 'R' | 'N', now: number, warnedAt: number | null = null) =>
    defer(later, {
      ...facts,
      now,
      warnedAt,
      attempts: 9,
      deliverBy: { atMs: 25_000, mode, trace: false },
    })
  for (const mode of ['R', 'N'] as const) {
    assert.deepEqual(at(mode, 10_000), { expired: false, warn: false, dueAt: 20_000 })
    assert.equal(at(mode, 20_000).dueAt, 25_000, 'due at its time, not ten seconds later')
  }
  assert.equal(at('R', 25_000).expired, true)
  assert.deepEqual(at('N', 25_000), { expired: false, warn: 'time', dueAt: 35_000 })
  assert.deepEqual(at('N', 35_000, 25_000), { expired: false, warn: false, dueAt: 45_000 })
  assert.equal(at('N', 35_000, 24_000).warn, 'time', 'the warning of a delay is another one')
  assert.equal(at('N', 10_000_000, 25_000).expired, true, 'no time lengthens its life')
})

test('nothing is tried any more when it ends by age, or by the time of R', () => {
  const by = (mode: 'R' | 'N', atMs: number) => ({ atMs, mode, trace: false })
  assert.equal(endsAt(100, { receivedAt: 1_000 }), 1_100)
  assert.equal(endsAt(100, { receivedAt: 1_000, deliverBy: by('R', 1_050) }), 1_050)
  assert.equal(endsAt(100, { receivedAt: 1_000, deliverBy: by('R', 2_000) }), 1_100)
  assert.equal(endsAt(100, { receivedAt: 1_000, deliverBy: by('N', 1_050) }), 1_100)
})

test('RFC 4865: what its sender holds back does not grow old', () => {
  const release = (atMs: number) => ({ release: { atMs, asked: 'for;1' } })
  assert.equal(agesFrom(1_000, {}), 1_000)
  assert.equal(agesFrom(1_000, release(5_000)), 5_000)
  assert.equal(agesFrom(1_000, release(500)), 1_000)
})
