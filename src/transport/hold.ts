/** The transport that keeps mail where it is until the operator lets it go, because a rule of the config says so. */
import type { Transport } from './transport.ts'

export const holdTransport: Transport = {
  carry: ({ envelope }, route) => {
    const reason = route.kind === 'hold' ? route.reason : 'held by a rule of the config'
    return Promise.resolve({
      outcomes: envelope.recipients.map(() => ({ kind: 'held', status: '4.7.0', reason })),
    })
  },
  close: () => Promise.resolve(),
}
