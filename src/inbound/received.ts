/** The Received field of a message that has come in (RFC 5321 §4.4), from what its session knows. */
import type { Envelope } from '../mail/envelope.ts'
import { formatReceived } from '../mail/trace.ts'
import type { Peer } from '../smtp/server/question.ts'

export interface Stamp {
  readonly protocol: 'smtp' | 'lmtp'
  readonly hostname: string
  readonly id: string
  readonly timeMs: number
}

export function receivedField(peer: Peer, { sender, recipients }: Envelope, stamp: Stamp): string {
  const { protocol, hostname: by, id, timeMs } = stamp
  const [only] = recipients
  return formatReceived({
    protocol,
    extended: peer.extended,
    hello: peer.hello,
    remote: peer.remote,
    by,
    authenticated: peer.account !== undefined,
    utf8: sender.utf8,
    id,
    timeMs,
    ...(peer.tls ? { tls: peer.tls } : {}),
    ...(peer.name === undefined ? {} : { reverseName: peer.name }),
    ...(sender.solicitations && { solicitations: sender.solicitations }),
    ...(sender.priority ? { priority: sender.priority } : {}),
    ...(recipients.length === 1 && only ? { recipient: only.forwardPath } : {}),
  })
}
