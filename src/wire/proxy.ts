/**
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): the header that a proxy sends
 * before anything else, to say who its client is. A pure reader: octets in, the header out. It is read
 * only from networks the listener trusts (world/proxied.ts), below TLS and below any session.
 */
import { crc32c } from './crc32c.ts'
import type { Endpoint, TlsFacts } from './effect.ts'
import { formatIp, parseIp } from './network.ts'

export type ProxyHeader =
  | {
      readonly kind: 'header'
      /** Absent where the proxy speaks for itself (LOCAL) or does not know (UNKNOWN, UNSPEC). */
      readonly ends?: { readonly remote: Endpoint; readonly local: Endpoint }
      /** What the proxy says of TLS between the client and itself (PP2_TYPE_SSL). */
      readonly tls?: TlsFacts
      /** What came behind the header. */
      readonly rest: Uint8Array
    }
  /** It is no header: the connection must end (§2). */
  | { readonly kind: 'fault'; readonly why: string }

/** Version 1 has 107 octets at most with its CRLF (§2.1). */
const V1_MAX = 107
const V1_START = Buffer.from('PROXY ')
/** Twelve octets that no line of a known protocol begins with (§2.2). */
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V2_FIXED = 16
/** A certificate may be among the TLVs; no proxy sends as much as this. */
const V2_MAX = 16_384

const fault = (why: string): ProxyHeader => ({ kind: 'fault', why })

export class ProxyReader {
  #octets: Buffer = Buffer.alloc(0)

  /** Takes octets; the header once it is whole, or why there is none. */
  push(octets: Uint8Array): ProxyHeader | undefined {
    this.#octets = this.#octets.length === 0 ? own(octets) : Buffer.concat([this.#octets, octets])
    if (startsAs(this.#octets, V1_START)) return this.#line()
    if (startsAs(this.#octets, V2_START)) return this.#binary()
    return fault('no PROXY header')
  }

  #line(): ProxyHeader | undefined {
    const octets = this.#octets
    const end = octets.subarray(0, V1_MAX).indexOf('\r\n')
    if (end < 0) return octets.length < V1_MAX ? undefined : fault('a line of over 107 octets')
    return before(octets.subarray(end + 2), parseLine(octets.toString('latin1', 0, end)))
  }

  #binary(): ProxyHeader | undefined {
    const octets = this.#octets
    if (octets.length < V2_FIXED) return undefined
    const length = V2_FIXED + octets.readUInt16BE(14)
    if (length > V2_MAX) return fault(`a header of ${length} octets`)
    if (octets.length < length) return undefined
    return before(octets.subarray(length), parseBinary(octets.subarray(0, length)))
  }
}

function before(rest: Uint8Array, header: ProxyHeader): ProxyHeader {
  return header.kind === 'header' ? { ...header, rest } : header
}

/** What was read is lent: the rest of a header may come much later. */
function own(octets: Uint8Array): Buffer {
  return Buffer.from(octets)
}

/** Whether the octets are the signature, or may still become it. */
function startsAs(octets: Buffer, signature: Buffer): boolean {
  const length = Math.min(octets.length, signature.length)
  return octets.compare(signature, 0, length, 0, length) === 0
}

/**
 *     "PROXY" SP ( "TCP4" / "TCP6" ) SP source SP destination SP port SP port CRLF
 *     "PROXY" SP "UNKNOWN" [ anything ] CRLF
 */
function parseLine(line: string): ProxyHeader {
  const [, family, from = '', to = '', fromPort = '', toPort = ''] =
    /^PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? []
  if (family === undefined) {
    return /^PROXY UNKNOWN(?: |$)/.test(line) ? header() : fault('a malformed line')
  }
  const remote = endpointOf(family, from, fromPort)
  const local = endpointOf(family, to, toPort)
  return remote && local ? header({ remote, local }) : fault('a malformed address')
}

function endpointOf(family: string, address: string, port: string): Endpoint | undefined {
  const octets = address.includes(':') === (family === 'TCP6') ? parseIp(address) : undefined
  if (octets === undefined || Number(port) > 65_535 || /^0\d/.test(port)) return undefined
  return { address: formatIp(octets), port: Number(port) }
}

function header(ends?: { remote: Endpoint; local: Endpoint }, tls?: TlsFacts): ProxyHeader {
  const rest = new Uint8Array(0)
  return { kind: 'header', ...(ends && { ends }), ...(tls && { tls }), rest }
}

/** Octets of the address block of each family (§2.2); UNSPEC has none that we know. */
const ADDRESS_OCTETS: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 }

/** A whole version 2 header: signature, version and command, family and protocol, length, the rest. */
function parseBinary(octets: Buffer): ProxyHeader {
  const command = octets.readUInt8(12)
  if (command >> 4 !== 2) return fault(`version ${command >> 4}`)
  // LOCAL: the proxy itself, to see whether we live. The rest must be skipped, whatever it holds.
  if (command === 0x20) return header()
  if (command !== 0x21) return fault(`command ${command & 0xf}`)
  const family = octets.readUInt8(13) >> 4
  const transport = octets.readUInt8(13) & 0xf
  const size = ADDRESS_OCTETS[family]
  if (size === undefined || transport > 2) return fault('an unknown family or protocol')
  if (octets.length < V2_FIXED + size) return fault('a truncated address')
  // Of UNSPEC nobody knows how long its addresses are: all is skipped.
  if (family === 0 || transport === 0) return header()
  const extras = readExtras(octets, V2_FIXED + size)
  if (typeof extras === 'string') return fault(extras)
  // Unix sockets and datagrams have no address that means anything to a mail server.
  if (family === 3 || transport !== 1) return header(undefined, extras.tls)
  const width = family === 1 ? 4 : 16
  const at = (from: number, port: number): Endpoint => ({
    address: formatIp(octets.subarray(V2_FIXED + from, V2_FIXED + from + width)),
    port: octets.readUInt16BE(V2_FIXED + 2 * width + port),
  })
  return header({ remote: at(0, 0), local: at(width, 2) }, extras.tls)
}

const CRC32C = 0x03
const SSL = 0x20
const SSL_VERSION = 0x21
const SSL_CN = 0x22
const SSL_CIPHER = 0x23

interface Extra {
  readonly type: number
  readonly value: Buffer
  /** Where the value stands. */
  readonly from: number
}

/** Type (1 octet), length (2), value: to the end of the octets; undefined where they do not add up. */
function readTlvs(octets: Buffer, from: number): Extra[] | undefined {
  const found: Extra[] = []
  let at = from
  while (at < octets.length) {
    if (at + 3 > octets.length) return undefined
    const end = at + 3 + octets.readUInt16BE(at + 1)
    if (end > octets.length) return undefined
    found.push({ type: octets.readUInt8(at), value: octets.subarray(at + 3, end), from: at + 3 })
    at = end
  }
  return found
}

/** The TLVs: a checksum is checked (§2.2.4), what is said of TLS is read (§2.2.6), the rest is skipped. */
function readExtras(octets: Buffer, from: number): { readonly tls?: TlsFacts } | string {
  const tlvs = readTlvs(octets, from)
  if (tlvs === undefined) return 'a truncated TLV'
  let tls: TlsFacts | undefined
  for (const { type, value, from: at } of tlvs) {
    if (type === CRC32C) {
      if (value.length !== 4) return 'a malformed checksum'
      const zeroed = Buffer.from(octets).fill(0, at, at + 4)
      if (crc32c(zeroed) !== value.readUInt32BE(0)) return 'a wrong checksum'
    } else if (type === SSL) {
      const facts = readTls(value)
      if (facts === 'malformed') return 'a malformed SSL TLV'
      tls = facts
    }
  }
  return tls === undefined ? {} : { tls }
}

/** Client bits (1 octet: TLS, certificate on this connection, in this session), verify (4), TLVs. */
function readTls(value: Buffer): TlsFacts | undefined | 'malformed' {
  const tlvs = value.length < 5 ? undefined : readTlvs(value, 5)
  if (tlvs === undefined) return 'malformed'
  const client = value.readUInt8(0)
  if ((client & 0x01) === 0) return undefined
  const text = (type: number) =>
    tlvs
      .find(tlv => tlv.type === type)
      ?.value.toString('latin1')
      .replace(/[^\x20-\x7e]/g, '?')
  const name = text(SSL_CN)
  return {
    protocol: text(SSL_VERSION) ?? 'unknown',
    cipher: text(SSL_CIPHER) ?? 'unknown',
    // A certificate was shown, and verification gave 0, which is success.
    verified: (client & 0x06) !== 0 && value.readUInt32BE(1) === 0,
    ...(name === undefined ? {} : { peerName: name }),
  }
}
