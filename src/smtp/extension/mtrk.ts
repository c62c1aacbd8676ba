/**
 * MTRK (RFC 3885): the sender marks a message, by a hash whose origin only he knows, and may ask later what
 * became of it. The mark goes with the message (mail/carried.ts), to each hop that knows it; the asking is a
 * protocol of its own (mtqp/).
 */
import { replies } from '../replies.ts'
import { envidOf } from './dsn.ts'
import type { Extension } from './extension.ts'

/**
 *     mtrk-parameter = "MTRK=" mtrk-certifier [ ":" mtrk-timeout ]
 *     mtrk-certifier = base64          ; §1: of a SHA-1 hash, without `=`, which no parameter may hold
 *     mtrk-timeout   = 1*9DIGIT        ; seconds, §3
 */
const VALUE = /^([A-Za-z0-9+/]{1,64})(?::(\d{1,9}))?$/

export const mtrk: Extension = {
  keyword: 'MTRK',
  rfcs: [3885, 3886, 3887, 3888],
  help: 'the sender may ask later what became of a message',
  // What became of mail is told to who submitted it: not to strangers, unless the listener's `with` says so.
  onAt: ['submission'],
  // §3: it needs ENVID, which is DSN's.
  has: ({ without }) => !without.includes('DSN'),
  offer: () => 'MTRK',
  // " MTRK=", a hash, ":" and nine digits.
  mailOctets: 80,
  mail: {
    MTRK(value, draft, { settings }) {
      const found = VALUE.exec(value ?? '')
      const [, certifier, timeout] = found ?? []
      if (certifier === undefined) return replies.badParameter('MTRK')
      const untilMs = settings.now() + Number(timeout) * 1000
      draft.tracking = timeout === undefined ? { certifier } : { certifier, untilMs }
      return undefined
    },
  },
  /** §3: what is to be tracked has a name, which is its ENVID. */
  whole: ({ tracking, envelopeId }) =>
    tracking !== undefined && envelopeId === undefined ? replies.trackingNeedsName : undefined,
  /**
   * §3.3: a mark goes on while it may be asked about, less the seconds that have passed; ENVID goes with it,
   * since a hop may know MTRK without the rest of DSN.
   */
  writeMail(sender, { hopOffers, now }) {
    const { tracking } = sender
    if (tracking === undefined || sender.envelopeId === undefined) return ''
    const { certifier, untilMs } = tracking
    const left = untilMs === undefined ? undefined : Math.ceil((untilMs - now()) / 1000)
    if (left !== undefined && left <= 0) return ''
    const name = hopOffers('DSN') ? '' : envidOf(sender)
    return ` MTRK=${certifier}${left === undefined ? '' : `:${left}`}${name}`
  },
}
