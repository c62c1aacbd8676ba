/**
 * REQUIRETLS (RFC 8689): a message that may go on only under TLS, to a host whose certificate was verified and
 * who asks the same of the next. The queue keeps it with the message (mail/carried.ts);
 * transport/tls-policy.ts knows which ways are proven at all, the client's rule is here.
 */
import { replies } from '../replies.ts'
import type { Extension } from './extension.ts'

export const requireTls: Extension = {
  keyword: 'REQUIRETLS',
  rfcs: [8689],
  help: 'a message that goes on under verified TLS or not at all',
  // §4.1: never in the clear, where the promise is broken already.
  offer: ({ tls }) => (tls ? 'REQUIRETLS' : undefined),
  mailOctets: 11,
  mail: {
    /** §4.1: the parameter has no value. */
    REQUIRETLS(value, draft, { tls }) {
      if (value !== undefined) return replies.badParameter('REQUIRETLS')
      if (!tls) return replies.tlsNeeded
      draft.requireTls = true
      return undefined
    },
  },
  writeMail: sender => (sender.requireTls ? ' REQUIRETLS' : ''),
  /** §4.2.1. §5: a notice is not lost for want of it; all it has of the message is the header. */
  unfit(sender, offered, _now, tls) {
    if (!sender.requireTls || sender.reversePath === null) return undefined
    if (tls?.verified !== true) return unfit('the next hop is not verified by TLS')
    return offered === undefined ? unfit('the next hop does not offer REQUIRETLS') : undefined
  },
}

function unfit(why: string) {
  return { status: '5.7.30', reason: `it may go on only under verified TLS (RFC 8689): ${why}` }
}
