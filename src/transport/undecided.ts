/** The transport of mail whose way could not be found just now: it waits for its next turn. */
import type { Transport } from './transport.ts'

export const undecidedTransport: Transport = {
  carry: ({ envelope }, route) => {
    const reason = route.kind === 'undecided' ? route.reason : 'its route is not known'
    return Promise.resolve({
      outcomes: envelope.recipients.map(() => ({ kind: 'deferred', status: '4.3.0', reason })),
    })
  },
  close: () => Promise.resolve(),
}
