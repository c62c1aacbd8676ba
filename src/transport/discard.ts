/** The transport that takes mail to nowhere, because a rule of the config says so. Nobody is told. */
import type { Transport } from './transport.ts'

export const discardTransport: Transport = {
  carry: ({ envelope }) =>
    Promise.resolve({
      outcomes: envelope.recipients.map(() => ({
        kind: 'discarded',
        status: '2.0.0',
        reason: 'discarded by a rule of the config',
      })),
    }),
  close: () => Promise.resolve(),
}
