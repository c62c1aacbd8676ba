/** The local transport: into mailboxes here, by the delivery agent. */
import type { Directory } from '../account/directory.ts'
import type { QuotaUsage } from '../account/quota.ts'
import { tenureFault, tenureOf } from '../account/tenure.ts'
import { deliver } from '../delivery/deliver.ts'
import type { Recipient } from '../mail/envelope.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Delivery } from '../mailbox/deliver.ts'
import type { Clock } from '../world/clock.ts'
import type { Carried, Load, Transport } from './transport.ts'

export function localTransport(
  directory: Directory,
  usage: (accountId: number) => Promise<QuotaUsage>,
  clock: Clock,
): Transport {
  return {
    async carry(load: Load): Promise<Carried> {
      const outcomes: Outcome[] = []
      const deliveries: (Delivery | undefined)[] = []
      const parcel = { ...load, reversePath: load.envelope.sender.reversePath }
      for (const recipient of load.envelope.recipients) {
        const fault = recipient.validSince && (await faultOf(directory, recipient))
        if (fault) {
          outcomes.push(fault)
          deliveries.push(undefined)
          continue
        }
        const done = await deliver(directory, usage, parcel, recipient.forwardPath, clock.now())
        outcomes.push(done.outcome)
        deliveries.push(done.delivery)
      }
      return { outcomes, deliveries }
    },
    close: () => Promise.resolve(),
  }
}

/** RFC 7293 §5: asked again at delivery, since the mailbox may have changed hands while the message waited. */
async function faultOf(directory: Directory, recipient: Recipient): Promise<Outcome | undefined> {
  const tenure = await tenureOf(directory, recipient)
  if (tenure === 'held') return undefined
  const { detail, text } = tenureFault(tenure, recipient.forwardPath)
  return { kind: 'failed', status: `5.${detail}`, reason: text }
}
