/**
 * One connection over a real socket: TCP or Unix, plain or TLS. Made by node/net.ts; implements
 * `Connection` of world/net.ts. A socket's faults arrive as `closed(error)` and are never thrown.
 * Listeners are plain functions shared by all sockets, for the sake of ten thousand idle ones.
 */
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  TLSSocket,
} from 'node:tls'
import type { CertificateFacts, Endpoint, TlsFacts } from '../../wire/effect.ts'
import type { Output } from '../../wire/output.ts'
import { breathOf } from '../breath.ts'
import { Handshakes } from '../handshakes.ts'
import type { Connection, ConnectionEvents, SecureOptions } from '../net.ts'
import { channelBindings, clientFinished } from './channel-bindings.ts'
import { nodeClock } from './clock.ts'
import { hello } from './hello.ts'
import { readShared } from './read-buffer.ts'
import { writeTo } from './write-to.ts'

/** A peer that is slower than this at its TLS handshake is not waited for. */
const HANDSHAKE_MS = 30_000

/** Those of all listeners of this process. */
export const handshakes = new Handshakes()

/** Handshakes are long work of this thread, as others are. */
const breath = breathOf(nodeClock)

const OWNER = Symbol('owner')

interface Owned {
  [OWNER]?: NodeConnection
}

export class NodeConnection implements Connection {
  readonly remote: Endpoint
  readonly local: Endpoint
  tls?: TlsFacts
  #socket: Socket
  #events: ConnectionEvents | undefined
  #error: Error | undefined
  #closed = false
  #paused = false
  #wasRead = false

  constructor(socket: Socket, path?: string) {
    this.#socket = socket
    this.remote = path === undefined ? endpoint(socket.remoteAddress, socket.remotePort) : UNIX
    this.local =
      path === undefined
        ? endpoint(socket.localAddress, socket.localPort)
        : { address: path, port: 0 }
    own(socket, this)
    socket.on('error', onError)
    socket.on('close', onClose)
  }

  open(events: ConnectionEvents): void {
    this.#events = events
    if (this.#closed) queueMicrotask(() => events.closed(this.#error))
    else this.#listen()
  }

  release(unread: Uint8Array): void {
    this.#events = undefined
    this.#socket.off('data', onData).off('end', onEnd).off('drain', onDrain)
    this.#socket.pause()
    // Lent octets (read-buffer.ts) must not stay in the socket.
    if (unread.length > 0) this.#socket.unshift(Buffer.from(unread))
  }

  write(output: Output | readonly Output[], left?: () => void): boolean {
    return writeTo(this.#socket, output, left)
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#events) this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async secure(options: SecureOptions): Promise<TlsFacts> {
    const plain = this.#socket
    // A flowing socket would go on reading beside TLS and take the handshake away from it.
    plain.pause()
    plain.off('data', onData).off('end', onEnd).off('drain', onDrain)
    const cut = (code: string) => this.#socket.destroy(reasonFor(code))
    const handshake = { from: this.remote.address, cut: () => cut('ECROWDED') }
    if (options.side === 'server') handshakes.begin(handshake)
    const late = setTimeout(() => cut('ETIMEDOUT'), HANDSHAKE_MS).unref()
    try {
      if (options.side === 'server') await this.#awaited(plain)
      return await this.#agree(plain, options)
    } finally {
      clearTimeout(late)
      handshakes.over(handshake)
    }
  }

  /** Until the client has spoken, and it is his turn: hundreds of handshakes at once would be one long turn of the loop. */
  async #awaited(plain: Socket): Promise<void> {
    // A socket that was read from before hands out at once what comes.
    const speaks = this.#wasRead || (await hello(plain))
    await breath.due()
    if (speaks && !plain.destroyed) return
    plain.destroy()
    throw this.#error ?? reasonFor('ECONNRESET')
  }

  #agree(plain: Socket, options: SecureOptions): Promise<TlsFacts> {
    plain.off('close', onClose)
    let secured: TLSSocket
    try {
      secured = options.side === 'server' ? upgrade(plain, options) : join(plain, options)
    } catch (error) {
      plain.on('close', onClose)
      plain.destroy()
      return Promise.reject(error)
    }
    this.#socket = secured
    own(secured, this)
    return new Promise((resolve, reject) => {
      // A server socket of our own making reports TLS errors by this event alone.
      secured.on('_tlsError', (error: Error) => {
        this.#error ??= error
        secured.destroy()
      })
      secured.on('error', onError)
      // Half-open sockets stay after the peer's end; one that ends in the handshake is of no use.
      const gone = () => secured.destroy()
      secured.once('end', gone)
      // One that has ended before TLS took over ends behind what it had said.
      plain.once('end', gone)
      secured.on('close', hadError => {
        onClose.call(secured)
        reject(this.#error ?? reasonFor(hadError ? 'EPROTO' : 'ECONNRESET'))
      })
      secured.once(options.side === 'server' ? 'secure' : 'secureConnect', () => {
        const refused = refusal(secured, options)
        if (refused !== undefined) {
          secured.destroy(refused)
          return
        }
        const facts = pinned(factsOf(secured, options), options)
        if (facts === undefined) {
          secured.destroy(reasonFor('ERR_TLS_CERT_NOT_PINNED'))
          return
        }
        this.tls = facts
        const begin = () => {
          secured.off('end', gone)
          plain.off('end', gone)
          if (this.#paused) secured.pause()
          if (this.#events) this.#listen()
          resolve(facts)
        }
        const rest = options.side === 'server' ? breath.due() : undefined
        if (rest === undefined) begin()
        else void rest.then(begin)
      })
    })
  }

  #listen(): void {
    const socket = this.#socket
    this.#wasRead = true
    // What was read before comes as 'data' all the same.
    readShared(socket, onData)
    socket.on('data', onData).on('end', onEnd).on('drain', onDrain)
    if (this.#paused) socket.pause()
    else if (socket.isPaused()) socket.resume()
  }

  onReceived(octets: Uint8Array): void {
    this.#events?.received(octets)
  }
  onEnded(): void {
    this.#events?.ended()
  }
  onDrained(): void {
    this.#events?.drained()
  }
  onFailed(error: Error): void {
    this.#error ??= error
  }
  onClosed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#events?.closed(this.#error)
  }
}

const UNIX: Endpoint = { address: 'unix', port: 0 }

function own(socket: Socket, owner: NodeConnection): void {
  const owned: Owned = socket as Owned
  owned[OWNER] = owner
}

function onData(this: Socket & Owned, octets: Uint8Array): void {
  this[OWNER]?.onReceived(octets)
}
function onEnd(this: Socket & Owned): void {
  this[OWNER]?.onEnded()
}
function onDrain(this: Socket & Owned): void {
  this[OWNER]?.onDrained()
}
function onError(this: Socket & Owned, error: Error): void {
  this[OWNER]?.onFailed(error)
}
function onClose(this: Socket & Owned): void {
  this[OWNER]?.onClosed()
}

/** An IPv4 peer of a dual-stack listener is known by its IPv4 address; a zone is left out. */
export function endpoint(address: string | undefined, port: number | undefined): Endpoint {
  const plain = (address ?? '').split('%', 1)[0] as string
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  return { address: mapped?.[1] ?? plain, port: port ?? 0 }
}

function reasonFor(code: string): Error {
  return Object.assign(new Error(`TLS handshake failed: ${code}`), { code })
}

function upgrade(socket: Socket, options: SecureOptions & { side: 'server' }): TLSSocket {
  const { identity, clients } = options
  const roots = clients === undefined ? {} : { clientRoots: clients.roots }
  return new TLSSocket(socket, {
    isServer: true,
    secureContext: identity.current(roots) as SecureContext,
    // Whether a certificate will do is looked at in `refusal`: the handshake itself lets all through.
    requestCert: clients !== undefined,
    ...(identity.several && {
      SNICallback: (servername: string, done: (error: null, context: SecureContext) => void) =>
        done(null, identity.current({ servername, ...roots }) as SecureContext),
    }),
  })
}

/** Why a client may not go on; undefined where it may. */
function refusal(socket: TLSSocket, options: SecureOptions): Error | undefined {
  if (options.side === 'client' || options.clients?.required !== true) return undefined
  return isVerified(socket) ? undefined : reasonFor('ERR_CLIENT_CERTIFICATE')
}

/**
 * Whether the peer's certificate leads to our roots. Node itself asks this way in its own server, and makes
 * nothing of the answer public for a socket that was accepted in the clear.
 */
function isVerified(socket: TLSSocket): boolean {
  const { _handle: handle } = socket as TLSSocket & {
    readonly _handle?: { verifyError?(): Error | null } | null
  }
  if (typeof handle?.verifyError !== 'function') return false
  return socket.getPeerX509Certificate() !== undefined && !handle.verifyError()
}

/** Contexts are dear to make (the system's roots are parsed): one for each kind of trust. */
const contexts = new Map<string, SecureContext>()

function clientContext(options: SecureOptions & { side: 'client' }): SecureContext {
  const minVersion = options.minVersion ?? 'TLSv1.2'
  const key = JSON.stringify([minVersion, options.roots, options.own])
  const known = contexts.get(key)
  if (known) return known
  const ca = options.roots ? [...getCACertificates('default'), options.roots] : undefined
  const own = options.own && { cert: options.own.certificate, key: options.own.key }
  const made = createSecureContext({ minVersion, ...own, ...(ca ? { ca } : {}) })
  if (contexts.size >= 16) contexts.clear()
  contexts.set(key, made)
  return made
}

function join(socket: Socket, options: SecureOptions & { side: 'client' }): TLSSocket {
  const { servername, trust, pins } = options
  return connect({
    socket,
    secureContext: clientContext(options),
    // An address is no server name (RFC 6066 §3), but it is still what the certificate must show.
    ...(isAddress(servername) ? {} : { servername }),
    rejectUnauthorized: trust === 'verify' && pins === undefined,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(servername, certificate),
  })
}

function isAddress(name: string): boolean {
  return name === '' || name.includes(':') || /^[0-9.]+$/.test(name)
}

function factsOf(socket: TLSSocket, options: SecureOptions): TlsFacts {
  const cipher = socket.getCipher()
  const asked = options.side === 'client' ? options.servername : sniOf(socket)
  // Once only: each call of a client's takes a certificate off OpenSSL's own list, and the next gets another.
  const peer = socket.getPeerX509Certificate()
  const bindings = channelBindings(socket, options.side, peer)
  const finished = clientFinished(socket, options.side)
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: cipher.standardName ?? cipher.name,
    verified: options.side === 'client' ? socket.authorized : isVerified(socket),
    ...(options.side === 'client' && !socket.authorized ? { unverified: reasonOf(socket) } : {}),
    ...(options.side === 'client' && options.chain ? { chain: chainOf(peer) } : {}),
    ...(asked ? { servername: asked } : {}),
    ...peerFacts(peer),
    ...(bindings && { bindings }),
    ...(finished && { finished }),
  }
}

/** A certificate that is one of the pins is as good as verified; another is none, and the facts are undefined. */
function pinned(facts: TlsFacts, options: SecureOptions): TlsFacts | undefined {
  if (options.side === 'server' || options.pins === undefined) return facts
  const { unverified: _why, ...rest } = facts
  const { fingerprint = '' } = facts
  return options.pins.includes(fingerprint) ? { ...rest, verified: true } : undefined
}

/** Typed as an Error, it is the error's code in truth. */
function reasonOf({ authorizationError }: TLSSocket): string {
  const reason: unknown = authorizationError
  return typeof reason === 'string' ? reason : 'unknown'
}

const CHAIN_MAX = 10
const NAMES_MAX = 100

/** From the peer's own certificate up, as far as issuers are known. */
function chainOf(peer: X509Certificate | undefined): CertificateFacts[] {
  const chain: CertificateFacts[] = []
  let next = peer
  for (; next !== undefined && chain.length < CHAIN_MAX; next = next.issuerCertificate) {
    const names = (next.subjectAltName ?? '').split(', ', NAMES_MAX)
    chain.push({
      subject: next.subject.replaceAll('\n', ', '),
      issuer: next.issuer.replaceAll('\n', ', '),
      names: names
        .map(name => name.replace(/^(?:DNS|IP Address):/, ''))
        .filter(name => name !== ''),
      validFrom: Date.parse(next.validFrom),
      validTo: Date.parse(next.validTo),
    })
  }
  return chain
}

/** What the peer's certificate says, where it showed one. */
function peerFacts(certificate: X509Certificate | undefined): Partial<TlsFacts> {
  if (certificate === undefined) return {}
  const name = certificate.toLegacyObject().subject?.CN
  const mailboxes = mailboxesIn(certificate.subjectAltName)
  return {
    ...(typeof name === 'string' ? { peerName: name } : {}),
    subject: certificate.subject.replaceAll('\n', ', '),
    fingerprint: certificate.fingerprint256,
    ...(mailboxes.length > 0 && { mailboxes }),
  }
}

/**
 * The rfc822Names of a subjectAltName as Node prints it: `email:a@b, DNS:c`. A name with a character in it
 * that could counterfeit another is printed in quotes, and is not one of ours.
 */
function mailboxesIn(names: string | undefined): readonly string[] {
  if (names === undefined || names.includes('"')) return []
  return names
    .split(', ')
    .filter(name => name.startsWith('email:'))
    .map(name => name.slice('email:'.length))
}

function sniOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as TLSSocket & { servername?: string | false | null }
  return typeof servername === 'string' ? servername : undefined
}
