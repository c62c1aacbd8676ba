/** The Received field of a message that has come in (RFC 5321 §4.4), from what its session knows. */
import type { Envelope } from '../mail/envelope.ts'
import { formatReceived, type Opening, openReceived } from '../mail/trace.ts'
import type { Peer } from '../smtp/server/question.ts'

export interface Stamp {
  readonly protocol: 'smtp' | 'lmtp'
  readonly hostname: string
  readonly id: string
  readonly timeMs: number
}

/** How the fields of a connection begin, which is the same for all of its messages. */
const openings = new WeakMap<Peer, { readonly by: string; readonly opening: Opening }>()

export function receivedField(peer: Peer, { sender, recipients }: Envelope, stamp: Stamp): string {
  const { protocol, hostname: by, id, timeMs } = stamp
  const [only, another] = recipients
  const reception = {
    protocol,
    extended: peer.extended,
    hello: peer.hello,
    remote: peer.remote,
    by,
    authenticated: peer.account !== undefined,
    utf8: sender.utf8,
    id,
    timeMs,
    ...(peer.tls && { tls: peer.tls }),
    ...(sender.solicitations && { solicitations: sender.solicitations }),
    ...(sender.priority ? { priority: sender.priority } : undefined),
    ...(only && !another ? { recipient: only.forwardPath } : undefined),
  }
  return formatReceived(reception, openingOf(peer, by))
}

function openingOf(peer: Peer, by: string): Opening {
  const known = openings.get(peer)
  if (known?.by === by) return known.opening
  const { hello, remote, name: reverseName } = peer
  const opening = openReceived({ hello, remote, by, ...(reverseName && { reverseName }) })
  openings.set(peer, { by, opening })
  return opening
}
