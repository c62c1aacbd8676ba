/**
 * SMTPUTF8 that nothing in a message needs is not asked of the next hop (RFC 6531 §3.4): a client
 * that always says it would else get a bounce from every hop without it. Called by reception.ts.
 */
import { formatAddress, isAscii } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import type { TakenBody } from './intake.ts'

/** The envelope as it is kept. */
export function withoutNeedlessUtf8(envelope: Envelope, head: string, body: TakenBody): Envelope {
  const { sender, recipients } = envelope
  if (!sender.utf8) return envelope
  const paths = [sender.reversePath, ...recipients.map(recipient => recipient.forwardPath)]
  const needed =
    paths.some(path => path !== null && !isAscii(formatAddress(path))) ||
    !isAscii(head) ||
    (body instanceof Uint8Array ? body.some(octet => octet > 0x7f) : !body.ascii)
  return needed ? envelope : { recipients, sender: { ...sender, utf8: false } }
}
