/**
 * FUTURERELEASE (RFC 4865): a submitted message that is to leave later. The queue holds it
 * (queue/spool.ts); here are the grammar, and what we as a client may ask a submission server. A message
 * that we have held ourselves is never held by the next hop again: transport/job.ts says nothing of it.
 */
import { formatTimestamp, parseTimestamp } from '../../wire/timestamp.ts'
import { replies } from '../replies.ts'
import type { SessionSettings } from '../server/question.ts'
import type { Extension } from './extension.ts'

/** future-release-integer = %x31-39 *8DIGIT     ; §3 (2) */
const INTEGER = /^[1-9]\d{0,8}$/

export const futureRelease: Extension = {
  keyword: 'FUTURERELEASE',
  rfcs: [4865],
  help: 'a message that is to leave later',
  // §4.2 (2): it must not be told on any port but that of submission.
  onlyAt: ['submission'],
  onAt: ['submission'],
  has: settings => settings.holdMaxS > 0,
  offer: ({ settings }) =>
    `FUTURERELEASE ${settings.holdMaxS} ${formatTimestamp(latest(settings))}`,
  mailOctets: 34,
  mail: {
    /** hold-for-param = "HOLDFOR=" future-release-integer; §4.2 (9): one of the two, and once. */
    HOLDFOR(value, draft, { settings }) {
      const seconds = INTEGER.test(value ?? '') ? Number(value) : 0
      if (seconds === 0 || seconds > settings.holdMaxS || draft.release) {
        return replies.badParameter('HOLDFOR')
      }
      draft.release = { atMs: settings.now() + seconds * 1000, asked: `for;${seconds}` }
      return undefined
    },
    /** hold-until-param = "HOLDUNTIL=" Internet-style-date-time-UTC: a time to come, not too far. */
    HOLDUNTIL(value, draft, { settings }) {
      const utc = /(?:Z|[+-]00:00)$/i.test(value ?? '')
      const atMs = utc ? parseTimestamp(value ?? '') : undefined
      if (
        atMs === undefined ||
        atMs <= settings.now() ||
        atMs > latest(settings) ||
        draft.release
      ) {
        return replies.badParameter('HOLDUNTIL')
      }
      draft.release = { atMs, asked: `until;${formatTimestamp(atMs)}` }
      return undefined
    },
  },
  /** §5.2.2: what is to be delivered before it may leave is a contradiction. */
  whole({ release, deliverBy }) {
    if (release === undefined || deliverBy === undefined) return undefined
    return release.atMs > deliverBy.atMs ? replies.releasedTooLate : undefined
  },
  writeMail({ release }) {
    const [kind, value] = release?.asked.split(';') ?? []
    if (kind === undefined) return ''
    return kind === 'for' ? ` HOLDFOR=${value}` : ` HOLDUNTIL=${value}`
  },
  /** §4.1: a client makes sure first that it is there, and that the server holds so long. */
  unfit({ release }, offered) {
    if (release === undefined) return undefined
    if (offered === undefined) {
      const reason = 'it is to leave later, and the server does not offer FUTURERELEASE (RFC 4865)'
      return { status: '5.3.3', reason }
    }
    const [seconds, until = ''] = offered.split(' ')
    const [kind, value = ''] = release.asked.split(';')
    const most =
      kind === 'for' ? Number(seconds || Number.NaN) : (parseTimestamp(until) ?? Number.NaN)
    const asked = kind === 'for' ? Number(value) : release.atMs
    // A most that cannot be read is none that we know of.
    if (!(asked > most)) return undefined
    return { status: '5.3.3', reason: `it is to leave later than the server holds: ${offered}` }
  },
}

/** The last time until which a message is held, cut to the second it is told in. */
function latest(settings: SessionSettings): number {
  return Math.floor(settings.now() / 1000) * 1000 + settings.holdMaxS * 1000
}
