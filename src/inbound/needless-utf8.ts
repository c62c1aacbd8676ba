/**
 * SMTPUTF8 that nothing in a message needs is not asked of the next hop (RFC 6531 §3.4): a client
 * that always says it would else get a bounce from every hop without it. Called by reception.ts.
 */
import { formatAddress, isAscii } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { TakenBody } from './intake.ts'

/** The envelope as it is kept; of a body that is staged nobody knows. */
export function withoutNeedlessUtf8(envelope: Envelope, head: string, body: TakenBody): Envelope {
  const { sender, recipients } = envelope
  if (!sender.utf8 || !(body instanceof Uint8Array)) return envelope
  const paths = [sender.reversePath, ...recipients.map(recipient => recipient.forwardPath)]
  const needed =
    paths.some(path => path !== null && !isAscii(formatAddress(path))) ||
    !isAscii(head) ||
    body.some(octet => octet > 0x7f)
  return needed ? envelope : { recipients, sender: { ...sender, utf8: false } }
}
