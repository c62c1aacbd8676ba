/**
 * SMTPUTF8 that nothing in a message needs is not asked of the next hop (RFC 6531 §3.4): a client
 * that always says it would else get a bounce from every hop without it. Called by reception.ts.
 */
import { formatAddress, isAscii } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'

/** The envelope as it is kept. @param content the whole message, as it came */
export function withoutNeedlessUtf8(envelope: Envelope, content: Uint8Array): Envelope {
  const { sender, recipients } = envelope
  if (!sender.utf8) return envelope
  const paths = [sender.reversePath, ...recipients.map(recipient => recipient.forwardPath)]
  const needed =
    paths.some(path => path !== null && !isAscii(formatAddress(path))) ||
    content.some(octet => octet > 0x7f)
  return needed ? envelope : { recipients, sender: { ...sender, utf8: false } }
}
