/** Schedules for some destinations: the first that matches, the rest as usual. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scheduleOf } from './schedules.ts'
import { type Config, settingsSchema } from './settings/settings.ts'

function settingsOf(schedules: NonNullable<NonNullable<Config['queue']>['schedules']>) {
  return settingsSchema.parse({ queue: { retry: ['1m'], expire: '5d', schedules } })
}

test('the first one that matches says what it says, and the rest is as usual', () => {
  const settings = settingsOf([
    { match: { recipient: '@slow.example' }, retry: ['1h', '2h'], expire: '10d' },
    { match: { recipient: ['*@*.example', 'vip@other.test'] }, delayWarning: '10m' },
    { match: { hop: 'archive' }, expire: '30d' },
    { match: { hop: ['backup', 'second'], recipient: '@both.test' }, jitter: 0 },
  ])
  const cases: readonly (readonly [string, string, Partial<ReturnType<typeof scheduleOf>>])[] = [
    ['joe@slow.example', '', { retryMs: [3_600_000, 7_200_000], expireMs: 864_000_000 }],
    ['joe@SLOW.example', 'archive', { retryMs: [3_600_000, 7_200_000], expireMs: 864_000_000 }],
    ['joe@a.example', '', { delayWarningMs: 600_000, expireMs: 432_000_000 }],
    ['vip@other.test', '', { delayWarningMs: 600_000 }],
    ['joe@other.test', '', { delayWarningMs: 14_400_000, retryMs: [60_000] }],
    ['joe@other.test', 'archive', { expireMs: 2_592_000_000 }],
    ['joe@both.test', 'first, second', { jitter: 0 }],
    ['joe@other.test', 'second', { jitter: 0.1, expireMs: 432_000_000 }],
    ['joe@both.test', '', { jitter: 0.1 }],
  ]
  for (const [address, way, expected] of cases) {
    const found = scheduleOf(settings, address, way)
    assert.deepEqual({ ...found, ...expected }, found, `${address} by ${way}`)
  }
})

test('a schedule for nobody in particular, or by a pattern that is none, is a mistake', () => {
  for (const match of [{}, { recipient: 'slow.example' }, { hop: [] }, { recipient: [] }]) {
    const { success } = settingsSchema.safeParse({ queue: { schedules: [{ match }] } })
    assert.equal(success, false, JSON.stringify(match))
  }
})
