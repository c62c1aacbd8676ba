/**
 * RRVS (RFC 7293): a recipient's mailbox must have had one owner since a time. Whether it has is asked of
 * the accounts (inbound/valid-since.ts, transport/local.ts); here are the grammar, and which hop may have
 * the message. The field that carries it through servers without it is inbound/heed-valid-since.ts's.
 */
import { formatTimestamp, parseTimestamp } from '../../wire/timestamp.ts'
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const rrvs: Extension = {
  keyword: 'RRVS',
  rfcs: [7293],
  help: 'since when a mailbox must have had one owner',
  offer: () => 'RRVS',
  rcptOctets: 33,
  rcpt: {
    /** rrvs-param = "RRVS=" date-time [ ";" ( "C" / "R" ) ]     ; §3.1; R is the default */
    RRVS(value, draft) {
      const [time = '', action = 'R', ...more] = (value ?? '').split(';')
      const atMs = parseTimestamp(time)
      if (atMs === undefined || !/^[cr]$/i.test(action) || more.length > 0) {
        return replies.badParameter('RRVS')
      }
      draft.validSince = { atMs, action: action.toUpperCase() === 'C' ? 'C' : 'R' }
      return undefined
    },
  },
  /** §5.1.1: the action goes on as it was given. */
  writeRcpt: ({ validSince: since }) =>
    since === undefined ? '' : ` RRVS=${formatTimestamp(since.atMs)};${since.action}`,
  /** §5.1.1: with R, a hop that would not ask is not given the message. */
  unfitRcpt({ validSince: since }, offered) {
    if (since?.action !== 'R' || offered !== undefined) return undefined
    const reason = 'the owner of the mailbox is to be checked, and the next hop does not offer RRVS'
    return { status: '5.7.19', reason: `${reason} (RFC 7293)` }
  },
}
