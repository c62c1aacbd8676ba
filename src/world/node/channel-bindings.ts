/**
 * What a login may be bound to on a TLS connection (RFC 5056), for SCRAM's -PLUS forms. Called by
 * connection.ts once, when the handshake is over. Of a connection that nothing can be said of it gives
 * nothing, and the -PLUS forms are then not offered on it.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { ChannelBindings } from '../../wire/effect.ts'

/** RFC 9266 §2. */
const LABEL = 'EXPORTER-Channel-Binding'
const EXPORTED_OCTETS = 32

/**
 * Worked out when they are asked for: on a connection where nobody logs in they would be a sixteenth of its cost.
 * @param peer the peer's certificate, which can be asked for only once (connection.ts)
 */
export function channelBindings(
  socket: TLSSocket,
  side: 'client' | 'server',
  peer: X509Certificate | undefined,
): ChannelBindings | undefined {
  const hasOne = socket.getProtocol() === 'TLSv1.3' || unique(socket, side) !== undefined
  return hasOne ? new Bindings(socket, side, peer) : undefined
}

class Bindings implements ChannelBindings {
  readonly #socket: TLSSocket
  readonly #side: 'client' | 'server'
  readonly #peer: X509Certificate | undefined

  constructor(socket: TLSSocket, side: 'client' | 'server', peer: X509Certificate | undefined) {
    this.#socket = socket
    this.#side = side
    this.#peer = peer
  }

  get 'tls-exporter'(): string | undefined {
    return inBase64(exporter(this.#socket))
  }

  get 'tls-unique'(): string | undefined {
    return inBase64(unique(this.#socket, this.#side))
  }

  get 'tls-server-end-point'(): string | undefined {
    return inBase64(
      endPoint(this.#side === 'client' ? this.#peer : this.#socket.getX509Certificate()),
    )
  }
}

/** The client's Finished message, in base64. Cyrus SASL's programs bind to it in TLS 1.3, too. */
export function clientFinished(socket: TLSSocket, side: 'client' | 'server'): string | undefined {
  const octets = side === 'client' ? socket.getFinished() : socket.getPeerFinished()
  return octets?.toString('base64')
}

function inBase64(octets: Uint8Array | undefined): string | undefined {
  return octets === undefined ? undefined : Buffer.from(octets).toString('base64')
}

/** RFC 9266 §3: of TLS 1.2 it may not be taken without the extended master secret, of which Node says nothing. */
function exporter(socket: TLSSocket): Uint8Array | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined
  try {
    return socket.exportKeyingMaterial(EXPORTED_OCTETS, LABEL, Buffer.alloc(0))
  } catch {
    return undefined
  }
}

/**
 * RFC 5929 §3.1: the first Finished of the handshake: the client's of a full one, the server's of one that
 * resumes a session. RFC 9266 §1: of TLS 1.3 there is none.
 */
function unique(socket: TLSSocket, side: 'client' | 'server'): Uint8Array | undefined {
  if (socket.getProtocol() === 'TLSv1.3') return undefined
  const ours = (side === 'client') !== socket.isSessionReused()
  return ours ? socket.getFinished() : socket.getPeerFinished()
}

/** RFC 5929 §4.1: the hash of the server's certificate, by the hash that it was signed with. */
function endPoint(certificate: X509Certificate | undefined): Uint8Array | undefined {
  if (certificate === undefined) return undefined
  const hash = hashOf(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest()
}

/** MD5 and SHA-1 give way to SHA-256; a signature without a hash of its own (Ed25519) has no binding. */
function hashOf({ signatureAlgorithm = '' }: X509Certificate): string | undefined {
  const found = /(?:md5|sha-?(?:1|224|256|384|512))/i.exec(signatureAlgorithm)?.[0]
  const hash = found?.toLowerCase().replace('-', '')
  return hash === 'md5' || hash === 'sha1' ? 'sha256' : hash
}
