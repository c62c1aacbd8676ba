/**
 * The header field `TLS-Required: No` (RFC 8689 §5): its author would rather have the message go in the clear
 * than not at all. Read once, where the message is taken, and kept with its sender. REQUIRETLS outweighs it.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Header } from '../message/header.ts'

/** The envelope with what the header wishes. */
export function withTlsWish(envelope: Envelope, header: Header): Envelope {
  const fields = header.all('tls-required')
  if (fields.length === 0 || envelope.sender.requireTls) return envelope
  // "No" is all it may say; what is said otherwise, or twice and not the same, is no wish.
  if (!fields.every(field => header.text(field).trim().toLowerCase() === 'no')) return envelope
  return { ...envelope, sender: { ...envelope.sender, tlsOptional: true } }
}
