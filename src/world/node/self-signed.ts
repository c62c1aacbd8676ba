/**
 * An X.509 certificate that signs itself (RFC 5280): the DER of the few fields that a TLS server needs,
 * around a key on P-256. Called by demo-certificate.ts. It writes certificates and reads none.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { domainToASCII } from 'node:url'
import { parseIp } from '../../wire/network.ts'

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/** What a certificate says of itself; of `names` the first is its common name. */
export interface SelfSigned {
  readonly names: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06 } as const
const UTF8 = 0x0c
const SEQUENCE = 0x30
const SET = 0x31

/** ub-common-name of RFC 5280 Appendix A. */
const COMMON_NAME_MAX = 64

/** OIDs as their content octets: of attributes, of extensions (2.5.29), of purposes (1.3.6.1.5.5.7.3). */
const commonName = [0x55, 0x04, 0x03]
const extensionOid = (last: number) => [0x55, 0x1d, last]
const purposeOid = (last: number) => [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, last]
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 (RFC 5758 §3.2). */
const ecdsaWithSha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]

/** Makes a key and its certificate, as PEM. */
export function selfSigned(said: SelfSigned): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = der(SEQUENCE, oid(ecdsaWithSha256))
  const tbsCertificate = der(
    SEQUENCE,
    der(0xa0, der(TAG.integer, [2])),
    der(TAG.integer, serialNumber()),
    algorithm,
    nameOf(said),
    der(SEQUENCE, time(said.notBefore), time(said.notAfter)),
    nameOf(said),
    key,
    der(0xa3, der(SEQUENCE, ...extensions(said, key))),
  )
  const signature = sign('sha256', tbsCertificate, privateKey)
  const certificate = der(SEQUENCE, tbsCertificate, algorithm, der(TAG.bits, [0], signature))
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions({ names }: SelfSigned, key: Uint8Array): Uint8Array[] {
  // RFC 5280 §4.2.1.2: SHA-1 of the key's bits, which end its DER: 65 octets of a point on P-256.
  const keyId = createHash('sha1').update(key.subarray(-65)).digest()
  const yes = der(TAG.boolean, [0xff])
  return [
    // cA, so that a client that is given this very file as its trusted root takes it.
    extension(19, der(SEQUENCE, yes), yes),
    // digitalSignature and keyCertSign: bits 0 and 5 of a byte, whose last two do not count.
    extension(15, der(TAG.bits, [2, 0x84]), yes),
    // serverAuth; and clientAuth, since it may be shown as a client's own, too (RFC 3207 §4.1).
    extension(37, der(SEQUENCE, oid(purposeOid(1)), oid(purposeOid(2)))),
    extension(17, der(SEQUENCE, ...names.flatMap(alternative))),
    extension(14, der(TAG.octets, keyId)),
    extension(35, der(SEQUENCE, der(0x80, keyId))),
  ]
}

function extension(last: number, value: Uint8Array, ...critical: Uint8Array[]): Uint8Array {
  return der(SEQUENCE, oid(extensionOid(last)), ...critical, der(TAG.octets, value))
}

/** A GeneralName (RFC 5280 §4.2.1.6): dNSName in A-labels, or iPAddress. A name that can be neither is left out. */
function alternative(name: string): Uint8Array[] {
  const ip = parseIp(name.replace(/^\[(.*)\]$/, '$1'))
  if (ip !== undefined) return [der(0x87, name.includes(':') ? ip : ip.subarray(-4))]
  const ascii = domainToASCII(name)
  return ascii === '' ? [] : [der(0x82, Buffer.from(ascii, 'latin1'))]
}

/** Subject and issuer: one common name. */
function nameOf({ names }: SelfSigned): Uint8Array {
  const name = names.find(one => Buffer.byteLength(one) <= COMMON_NAME_MAX) ?? 'localhost'
  return der(SEQUENCE, der(SET, der(SEQUENCE, oid(commonName), der(UTF8, Buffer.from(name)))))
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; §4.1.2.5: UTCTime until 2049, GeneralizedTime from then on. */
function serialNumber(): Uint8Array {
  const octets = randomBytes(16)
  octets[0] = 0x40 | ((octets[0] ?? 0) & 0x3f)
  return octets
}

function time(date: Date): Uint8Array {
  const digits = `${date.toISOString().replace(/[-:T]|\..*/g, '')}Z`
  const early = date.getUTCFullYear() < 2050
  return der(early ? 0x17 : 0x18, Buffer.from(early ? digits.slice(2) : digits, 'latin1'))
}

function oid(octets: readonly number[]): Uint8Array {
  return der(TAG.oid, octets)
}

/** Tag, length and content (X.690 §8.1, in the shortest form of §10.1). */
function der(tag: number, ...contents: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const content = Buffer.concat(contents.map(one => Uint8Array.from(one)))
  const { length } = content
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

function pem(label: string, octets: Uint8Array): string {
  const lines =
    Buffer.from(octets)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
