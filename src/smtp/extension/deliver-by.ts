/**
 * DELIVERBY (RFC 2852): by when a message is to be delivered, and whether it comes back then (R) or its
 * sender is only told (N). The queue keeps the time (queue/schedule.ts, transport/settler.ts); here are
 * the grammar, and what a hop may be told or must not be given.
 */
import { deadlinePassed, remainingSeconds } from '../../mail/deliver-by.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const deliverBy: Extension = {
  keyword: 'DELIVERBY',
  rfcs: [2852],
  help: 'by when a message is to be delivered',
  // §2 (3): without a parameter nothing is told of a least time.
  offer: ({ settings: { deliverByMinS } }) =>
    deliverByMinS > 0 ? `DELIVERBY ${deliverByMinS}` : 'DELIVERBY',
  mailOctets: 17,
  mail: {
    /**
     *     by-value = by-time ";" by-mode [by-trace]
     *     by-time  = ["-" / "+"] 1*9DIGIT,  by-mode = "N" / "R",  by-trace = "T"     ; §4
     */
    BY(value, draft, { settings }) {
      const found = /^([+-]?\d{1,9});([NR])(T?)$/i.exec(value ?? '')
      if (found === null) return replies.badParameter('BY')
      const seconds = Number(found[1])
      const mode = found[2]?.toUpperCase() === 'R' ? 'R' : 'N'
      // §4: what is to come back at a time that is over is a mistake; N may tell of a time long past.
      if (mode === 'R' && seconds <= 0) return replies.badParameter('BY')
      if (mode === 'R' && seconds < settings.deliverByMinS) {
        return replies.deliverByTooSoon(settings.deliverByMinS)
      }
      draft.deliverBy = { atMs: settings.now() + seconds * 1000, mode, trace: found[3] !== '' }
      return undefined
    },
  },
  /** §4.1.4: the seconds that are left, as close to MAIL as can be. */
  writeMail({ deliverBy: by }, { now }) {
    if (by === undefined) return ''
    return ` BY=${remainingSeconds(by, now())};${by.mode}${by.trace ? 'T' : ''}`
  },
  /** §4.1.4.1: with R, only a hop that keeps the time may have it, and only while there is enough of it. */
  unfit({ deliverBy: by }, offered, now) {
    if (by?.mode !== 'R') return undefined
    if (deadlinePassed(by, now())) {
      return { status: '5.4.7', reason: 'the time to deliver it by is over' }
    }
    if (offered === undefined) {
      const reason = 'it is to be delivered by a time, and the next hop does not offer DELIVERBY'
      return { status: '5.3.3', reason: `${reason} (RFC 2852)` }
    }
    const least = /^\d{1,9}(?=,|$)/.exec(offered)?.[0]
    const left = remainingSeconds(by, now())
    if (least === undefined || Number(least) <= left) return undefined
    return {
      status: '5.4.7',
      reason: `it is to be delivered within ${left} s, and the next hop wants ${Number(least)} s at least`,
    }
  },
}
