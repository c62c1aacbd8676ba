/** HOLDFOR= and HOLDUNTIL= (RFC 4865). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliverBy, Release, Sender } from '../../mail/envelope.ts'
import type { SessionSettings } from '../server/question.ts'
import type { Draft } from './extension.ts'
import { futureRelease } from './future-release.ts'

const NOW = Date.UTC(2026, 10, 27, 4, 0, 0, 500)
const settings = { now: () => NOW, holdMaxS: 3600 } as SessionSettings

function read(keyword: string, value: string): Release | number | undefined {
  const draft: Draft<Sender> = { reversePath: null, body: '7BIT', utf8: false }
  const refused = futureRelease.mail?.[keyword]?.(value, draft, {
    settings,
    utf8: false,
    tls: true,
  })
  return refused?.code ?? draft.release
}

test('§3: an interval is counted from MAIL, a time is a time', () => {
  assert.deepEqual(read('HOLDFOR', '3600'), { atMs: NOW + 3_600_000, asked: 'for;3600' })
  const asked = 'until;2026-11-27T05:00:00Z'
  for (const value of ['2026-11-27T05:00:00Z', '2026-11-27t05:00:00z', '2026-11-27T05:00:00-00:00'])
    assert.deepEqual(read('HOLDUNTIL', value), { atMs: Date.UTC(2026, 10, 27, 5), asked })
  for (const value of ['3601', '0', '', '1.0', '+1']) assert.equal(read('HOLDFOR', value), 501)
  for (const value of ['2026-11-27T05:00:01Z', '2026-11-27T04:00:00Z', '2026-11-27T05:00:00+01:00'])
    assert.equal(read('HOLDUNTIL', value), 501, value)
})

test('§5.2.2: it leaves before it is to be delivered', () => {
  const whole = (release: number, deliverBy: number) =>
    futureRelease.whole?.(
      {
        release: { atMs: release, asked: '' },
        deliverBy: { atMs: deliverBy } as DeliverBy,
      } as Sender,
      { settings, utf8: false, tls: true },
    )?.code
  assert.equal(whole(5, 5), undefined)
  assert.equal(whole(6, 5), 501)
})

test('§4.1: a client asks only for what the server has told', () => {
  const unfit = (asked: string, atMs: number, offered: string | undefined) =>
    futureRelease.unfit?.({ release: { atMs, asked } } as Sender, offered, () => NOW, undefined)
      ?.status
  const offered = '3600 2026-11-27T05:00:00Z'
  assert.equal(unfit('for;3600', 0, offered), undefined)
  assert.equal(unfit('for;3601', 0, offered), '5.3.3')
  assert.equal(unfit('until;x', Date.UTC(2026, 10, 27, 5), offered), undefined)
  assert.equal(unfit('until;x', Date.UTC(2026, 10, 27, 5, 1), offered), '5.3.3')
  assert.equal(unfit('for;1', 0, undefined), '5.3.3')
  assert.equal(unfit('for;1', 0, ''), undefined)
  assert.equal(
    futureRelease.unfit?.({} as Sender, undefined, () => NOW, undefined),
    undefined,
  )
})
