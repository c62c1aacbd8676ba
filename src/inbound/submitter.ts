/**
 * Who is said to have submitted a message, to a next hop that knows us (RFC 4954 §5): the mailbox of AUTH=,
 * where its client may speak for it. Asked by reception.ts as the message is taken. Nobody is relayed as
 * `AUTH=<>` (transport/job.ts), and costs the queue nothing.
 */
import { sameAddress } from '../account/address.ts'
import { parseStoredAddress } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import { rightTo } from './identity.ts'
import type { Inbound } from './role.ts'

/** The envelope with the submitter who may be told, at once where nobody has to be looked up. */
export function withSubmitter(
  inbound: Inbound,
  { account }: Peer,
  envelope: Envelope,
  origin: 'mx' | 'submission' | 'local',
): Later<Envelope> {
  const { enforceSender, tellsSubmitter } = inbound.settings()
  const claimed = envelope.sender.submitter
  // Who has not logged in is believed nothing: as if AUTH=<> had been said.
  if (account === undefined) return submittedBy(envelope, undefined)
  if (claimed === undefined) {
    const original = origin === 'submission' && tellsSubmitter
    return submittedBy(envelope, original ? account.address : undefined)
  }
  if (claimed === null) return submittedBy(envelope, undefined)
  const address = parseStoredAddress(claimed)
  if (!enforceSender || sameAddress(address, parseStoredAddress(account.address))) return envelope
  return rightTo(inbound, account, address).then(right =>
    right ? envelope : submittedBy(envelope, undefined),
  )
}

function submittedBy(envelope: Envelope, submitter: string | undefined): Envelope {
  if (envelope.sender.submitter === submitter) return envelope
  const { submitter: _claimed, ...sender } = envelope.sender
  return { ...envelope, sender: submitter === undefined ? sender : { ...sender, submitter } }
}
