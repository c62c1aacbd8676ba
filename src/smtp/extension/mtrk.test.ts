/** What a hop is told of a mark (RFC 3885). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sender } from '../../mail/envelope.ts'
import type { Draft, ParameterContext, Writing } from './extension.ts'
import { mtrk } from './mtrk.ts'

const MAIL_AT = 1_000_000

/** What a hop is told, so many seconds after MAIL said it. */
function passedOn(value: string, laterS: number, offersDsn = true): string {
  const draft: Draft<Sender> = { reversePath: null, body: '7BIT', utf8: false, envelopeId: 'e+1@x' }
  const context = { settings: { now: () => MAIL_AT } } as unknown as ParameterContext
  assert.equal(mtrk.mail?.MTRK?.(value, draft, context), undefined)
  return (
    mtrk.writeMail?.(draft, {
      hopOffers: keyword => keyword !== 'DSN' || offersDsn,
      now: () => MAIL_AT + laterS * 1000,
    } as Writing) ?? ''
  )
}

const rows: readonly (readonly [name: string, value: string, laterS: number, told: string])[] = [
  ['no time is none at the next hop', 'abcd', 1_000_000, ' MTRK=abcd'],
  ['all of it is left', 'abcd:600', 0, ' MTRK=abcd:600'],
  ['the time in the queue is taken from it', 'abcd:600', 590.5, ' MTRK=abcd:10'],
  ['a mark whose time is over stays here', 'abcd:600', 600, ''],
  ['a mark of no time at all stays here', 'abcd:0', 0, ''],
]
for (const [name, value, laterS, told] of rows) {
  test(`RFC 3885 §3.3: ${name}`, () => assert.equal(passedOn(value, laterS), told))
}

test('RFC 3885 §3.3: a hop that tracks without the rest of DSN is told the name', () => {
  assert.equal(passedOn('abcd:5', 1, false), ' MTRK=abcd:4 ENVID=e+2B1@x')
})
