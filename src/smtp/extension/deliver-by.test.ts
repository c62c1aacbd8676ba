/** BY= and what follows for a hop and for notices (RFC 2852). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askForDelays, isTooLate, remainingSeconds, tellsRelay } from '../../mail/deliver-by.ts'
import type { DeliverBy, Notify, Recipient, Sender } from '../../mail/envelope.ts'
import type { SessionSettings } from '../server/question.ts'
import { deliverBy } from './deliver-by.ts'
import type { Draft } from './extension.ts'

const NOW = 1_000_000

function read(value: string | undefined, deliverByMinS = 0): DeliverBy | number | undefined {
  const draft: Draft<Sender> = { reversePath: null, body: '7BIT', utf8: false }
  const settings = { now: () => NOW, deliverByMinS } as SessionSettings
  const refused = deliverBy.mail?.['BY']?.(value, draft, { settings, utf8: false, tls: true })
  return refused?.code ?? draft.deliverBy
}

const by = (mode: 'R' | 'N', atMs: number, trace = false): DeliverBy => ({ atMs, mode, trace })

test('§4: the time is counted from MAIL', () => {
  assert.deepEqual(read('120;R'), by('R', NOW + 120_000))
  assert.deepEqual(read('+1;nt'), by('N', NOW + 1_000, true))
  assert.deepEqual(read('-5;N'), by('N', NOW - 5_000))
  for (const value of [undefined, '', '5', ';N', '5;', '5;RX', '0;R', '-1;R', '1234567890;N'])
    assert.equal(read(value), 501, value)
  assert.equal(read('59;R', 60), 555)
  assert.deepEqual(read('59;N', 60), by('N', NOW + 59_000))
})

test('§4.1.4: what is left is never 0 before the time, and never above 0 after it', () => {
  assert.equal(remainingSeconds(by('R', 1_000), 999), 1)
  assert.equal(remainingSeconds(by('R', 1_000), 1_000), 0)
  assert.equal(remainingSeconds(by('N', 1_000), 3_500), -2)
  assert.equal(remainingSeconds(by('N', 9e15), 0), 999_999_999)
  assert.equal(isTooLate(by('R', 1_000), 999), false)
  assert.equal(isTooLate(by('R', 1_000), 1_000), true)
  assert.equal(isTooLate(by('N', 1_000), 5_000), false)
  assert.equal(isTooLate(undefined, 5_000), false)
})

test('§4.1.4.1: which hop may have it', () => {
  const unfit = (mode: 'R' | 'N', offered: string | undefined, atMs = NOW + 60_000) =>
    deliverBy.unfit?.({ deliverBy: by(mode, atMs) } as Sender, offered, () => NOW, undefined)
      ?.status
  assert.equal(unfit('R', ''), undefined)
  assert.equal(unfit('R', '60'), undefined)
  assert.equal(unfit('R', '61'), '5.4.7')
  assert.equal(unfit('R', '61,X'), '5.4.7')
  assert.equal(unfit('R', ',X'), undefined)
  assert.equal(unfit('R', undefined), '5.3.3')
  assert.equal(unfit('R', '', NOW), '5.4.7')
  for (const offered of [undefined, '', '61']) assert.equal(unfit('N', offered), undefined)
  assert.equal(
    deliverBy.unfit?.({} as Sender, undefined, () => NOW, undefined),
    undefined,
  )
})

test('§4.1.4, §4.1.4.2: who hears of a relay, and who is asked to tell of delays', () => {
  const tells = (deliver: DeliverBy, notify: Notify | undefined, kept: boolean) =>
    tellsRelay(deliver, notify, kept, NOW)
  const ahead = NOW + 1
  assert.equal(tells(by('N', ahead), undefined, false), true)
  assert.equal(tells(by('N', ahead), ['FAILURE'], false), true)
  assert.equal(tells(by('N', ahead), 'NEVER', false), false)
  assert.equal(tells(by('N', ahead), undefined, true), false)
  assert.equal(tells(by('N', NOW), undefined, false), false)
  assert.equal(tells(by('R', ahead, true), undefined, true), true)
  assert.equal(tells(by('R', ahead, true), 'NEVER', true), false)
  const recipient = { forwardPath: { local: 'a', domain: 'b' } } satisfies Recipient
  const asked = (notify?: Notify) =>
    askForDelays({ ...recipient, ...(notify && { notify }) }).notify
  assert.deepEqual(asked(), ['FAILURE', 'DELAY'])
  assert.deepEqual(asked(['SUCCESS']), ['SUCCESS', 'DELAY'])
  assert.deepEqual(asked(['DELAY']), ['DELAY'])
  assert.equal(asked('NEVER'), 'NEVER')
})
