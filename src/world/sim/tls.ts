/** TLS in the simulated internet: no cryptography, only who claims what and who believes it. */
import { createHash } from 'node:crypto'
import type { CertificateFacts, TlsFacts } from '../../wire/effect.ts'
import type { SecureOptions, ServerIdentity } from '../net.ts'

const SELF_SIGNED = 'DEPTH_ZERO_SELF_SIGNED_CERT'

export interface SimCertificate {
  /** The DNS names it is good for; '*.example.org' covers one label. */
  readonly names: readonly string[]
  /** Whether clients find a trusted chain. */
  readonly trusted: boolean
  /** Why not: OpenSSL's name of it; a self-signed certificate unless said. */
  readonly fault?: string
  /** Its dates, ms since the epoch; good for ever unless said. */
  readonly validFrom?: number
  readonly validTo?: number
}

/** What crosses the wire when an end starts TLS. */
export type Hello =
  | { readonly side: 'client'; readonly servername: string; readonly own?: string }
  | { readonly side: 'server'; readonly certificate: SimCertificate }

/** A server's certificate; trusted unless said otherwise. */
export function simIdentity(
  names: readonly string[],
  trusted = true,
  more: Partial<SimCertificate> = {},
): ServerIdentity {
  const certificate: SimCertificate = { names, trusted, ...more }
  return { current: () => certificate }
}

export function helloOf(options: SecureOptions): Hello {
  if (options.side === 'server') {
    return { side: 'server', certificate: options.identity.current() as SimCertificate }
  }
  const { servername, own } = options
  return { side: 'client', servername, ...(own && { own: own.certificate }) }
}

/** What an end that expects plaintext sees of a TLS hello: a handshake record (RFC 8446 §5.1). */
export function helloOctets(): Uint8Array {
  return Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0x02, 0x01, 0x00)
}

/** The facts, or the code of the error that ends the handshake. */
export function agree(options: SecureOptions, hello: Hello): TlsFacts | string {
  const common = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
  if (options.side === 'server') {
    if (hello.side !== 'client') return 'EPROTO'
    const { servername, own } = hello
    const { clients } = options
    const shown = clients && own
    // A certificate is its name here, and roots are the names they vouch for.
    const verified = shown !== undefined && clients?.roots.split(' ').includes(shown) === true
    if (clients?.required && !verified) return 'ERR_CLIENT_CERTIFICATE'
    const facts = shown === undefined ? {} : { peerName: shown, subject: `CN=${shown}` }
    return { ...common, servername, verified, ...facts }
  }
  if (hello.side !== 'server') return 'EPROTO'
  const { names, trusted, fault = SELF_SIGNED } = hello.certificate
  const verified = trusted && names.some(name => covers(name, options.servername))
  const unverified = trusted ? 'ERR_TLS_CERT_ALTNAME_INVALID' : fault
  const { pins } = options
  const fingerprint = fingerprintOf(names)
  if (pins ? !pins.includes(fingerprint) : options.trust === 'verify' && !verified) {
    return pins ? 'ERR_TLS_CERT_NOT_PINNED' : unverified
  }
  const believed = verified || pins !== undefined
  const [peerName] = names
  return {
    ...common,
    servername: options.servername,
    verified: believed,
    fingerprint,
    ...(believed ? {} : { unverified }),
    ...(options.chain ? { chain: [factsOf(hello.certificate)] } : {}),
    ...(peerName === undefined ? {} : { peerName }),
  }
}

/** Of a certificate that is nothing but its names. */
export function fingerprintOf(names: readonly string[]): string {
  const digest = createHash('sha256').update(names.join()).digest('hex').toUpperCase()
  return digest.match(/../g)?.join(':') ?? ''
}

function factsOf({
  names,
  trusted,
  fault = SELF_SIGNED,
  ...dates
}: SimCertificate): CertificateFacts {
  const subject = `CN=${names[0] ?? ''}`
  const { validFrom = 0, validTo = 4_102_444_800_000 } = dates
  const issuer = !trusted && fault === SELF_SIGNED ? subject : 'CN=Sim CA'
  return { subject, issuer, names, validFrom, validTo }
}

function covers(pattern: string, name: string): boolean {
  const plain = name.toLowerCase()
  if (!pattern.startsWith('*.')) return pattern.toLowerCase() === plain
  const dot = plain.indexOf('.')
  return dot > 0 && plain.slice(dot) === pattern.slice(1).toLowerCase()
}
