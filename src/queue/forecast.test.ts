import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast } from './forecast.ts'
import type { Schedule } from './schedule.ts'

const MINUTE = 60_000
const schedule: Schedule = {
  retryMs: [MINUTE, 5 * MINUTE, 30 * MINUTE],
  delayWarningMs: 40 * MINUTE,
  expireMs: 120 * MINUTE,
  jitter: 0.2,
}
const minutes = (times: readonly number[]) => times.map(time => time / MINUTE)

test('attempts follow the schedule, the last delay again and again, to the end of the lifetime', () => {
  const { attempts, warnings, givenUpAt } = forecast(schedule, { receivedAt: 0, firstAt: 0 })
  assert.deepEqual(minutes(attempts), [0, 1, 6, 36, 66, 96, 120])
  assert.deepEqual(minutes(warnings), [66])
  assert.equal(givenUpAt, 120 * MINUTE)
})

test('a time that its sender has set ends it, or has him told', () => {
  const at = 50 * MINUTE
  const back = {
    receivedAt: 0,
    firstAt: 0,
    deliverBy: { atMs: at, mode: 'R', trace: false },
  } as const
  const returned = forecast(schedule, back)
  assert.deepEqual(minutes(returned.attempts), [0, 1, 6, 36])
  assert.equal(returned.givenUpAt, at)
  const told = forecast(schedule, { ...back, deliverBy: { ...back.deliverBy, mode: 'N' } })
  assert.deepEqual(minutes(told.warnings), [50])
  assert.equal(told.givenUpAt, 120 * MINUTE)
})

test('a schedule without end is not gone through for ever', () => {
  const endless = {
    ...schedule,
    retryMs: [1],
    expireMs: Number.MAX_SAFE_INTEGER,
    delayWarningMs: 0,
  }
  const { attempts, givenUpAt } = forecast(endless, { receivedAt: 0, firstAt: 0 })
  assert.equal(attempts.length, 1_000)
  assert.equal(givenUpAt, undefined)
})
