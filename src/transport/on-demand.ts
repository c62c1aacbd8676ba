/**
 * The transport that carries nothing: mail of a customer who is not always there (RFC 1985, RFC 2645)
 * waits in the queue until he asks for it, or until it is given up by age.
 */
import type { Transport } from './transport.ts'

/** How the reason of what is kept begins; the rest names the domain. */
export const KEPT = 'kept until it is asked for'

export const onDemandTransport: Transport = {
  carry: ({ envelope }) =>
    Promise.resolve({
      outcomes: envelope.recipients.map(({ forwardPath: { domain } }) => ({
        kind: 'deferred',
        kept: true,
        status: '4.4.0',
        reason: `${KEPT} (ETRN, ATRN or TURN for ${domain})`,
      })),
    }),
  close: () => Promise.resolve(),
}
