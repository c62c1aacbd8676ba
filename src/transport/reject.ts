/**
 * The transport that sends mail back, because a rule of the config says so. What could be refused in the
 * session has been refused there (inbound/recipient.ts); here is what a rule says of what was taken already.
 */
import type { Transport } from './transport.ts'

export const rejectTransport: Transport = {
  carry: ({ envelope }, route) => {
    const { status, text: reason } =
      route.kind === 'reject' ? route : { status: '5.7.1', text: 'refused by a rule of the config' }
    return Promise.resolve({
      outcomes: envelope.recipients.map(() => ({ kind: 'failed', status, reason })),
    })
  },
  close: () => Promise.resolve(),
}
