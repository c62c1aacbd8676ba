/**
 * BURL (RFC 4468): what a signed URL names becomes octets of the message that is taken in, as if they had come over the
 * wire. Called by reception.ts. Nothing is ever asked of another server.
 */
import { refuse } from '../mail/verdict.ts'
import type { IncludeAnswer, Including } from '../smtp/server/question.ts'
import type { Inbound } from './role.ts'

/** RFC 4468 §6. */
const LOGIN_FIRST = refuse(530, '7.0', 'authentication required')
/** RFC 5248 has given the code of §6 another number. */
const ELSEWHERE = refuse(554, '7.14', 'Only signed IMAP URLs of this server are resolved')
const DENIED = refuse(554, '7.0', 'IMAP URL authorization failed')
const GONE = refuse(554, '6.6', 'IMAP URL resolution failed')
const TOO_BIG = refuse(554, '3.4', 'Message too big for system')
const BINARY = refuse(554, '6.3', 'The URL names binary data, which needs BODY=BINARYMIME')

/** @param take takes octets in; they may be used again once it is done. */
export async function included(
  { refer }: Pick<Inbound, 'refer'>,
  { peer, envelope, url, roomOctets }: Including,
  take: (octets: Uint8Array) => Promise<void>,
): Promise<IncludeAnswer> {
  if (peer.account === undefined) return LOGIN_FIRST
  const referred = await refer(peer.account, url)
  if (referred.kind === 'elsewhere') return ELSEWHERE
  if (referred.kind === 'denied') return DENIED
  if (referred.kind === 'gone') return GONE
  const { sizeOctets, content } = referred
  if (roomOctets !== undefined && sizeOctets > roomOctets) return TOO_BIG
  const binary = envelope.sender.body === 'BINARYMIME'
  for await (const octets of content instanceof Uint8Array ? [content] : content) {
    // §4: it may be refused, and nothing here turns it into base64 before it is accepted.
    if (!binary && octets.includes(0)) return BINARY
    await take(octets)
  }
  return { kind: 'included', sizeOctets }
}
