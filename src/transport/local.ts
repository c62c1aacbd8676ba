/** The local transport: into mailboxes here, by the delivery agent. */
import type { Directory } from '../account/directory.ts'
import { deliver } from '../delivery/deliver.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import type { Clock } from '../world/clock.ts'
import type { Carried, Load, Transport } from './transport.ts'

export function localTransport(directory: Directory, clock: Clock): Transport {
  return {
    async carry(load: Load): Promise<Carried> {
      const outcomes: Outcome[] = []
      const deliveries: (Delivery | undefined)[] = []
      const parcel = { ...load, reversePath: load.envelope.sender.reversePath }
      for (const recipient of load.envelope.recipients) {
        const done = await deliver(directory, parcel, recipient.forwardPath, clock.now())
        outcomes.push(done.outcome)
        deliveries.push(done.delivery)
      }
      return { outcomes, deliveries }
    },
    close: () => Promise.resolve(),
  }
}
