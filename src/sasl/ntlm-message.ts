/**
 * The three messages of NTLM (MS-NLMP §2.2.1), read strictly and never by throwing: every length and offset is
 * held against the buffer, fields may neither overlap nor lie in the fixed part, and text is whole UTF-16.
 */

/** §2.2.2.5, those that count here. */
export const FLAG = {
  unicode: 0x00000001,
  oem: 0x00000002,
  requestTarget: 0x00000004,
  sign: 0x00000010,
  ntlm: 0x00000200,
  alwaysSign: 0x00008000,
  targetIsServer: 0x00020000,
  extendedSecurity: 0x00080000,
  targetInfo: 0x00800000,
  key128: 0x20000000,
  keyExchange: 0x40000000,
  key56: 0x80000000,
} as const

/** AvIds of §2.2.2.1. */
export const AV = {
  end: 0,
  nbComputer: 1,
  nbDomain: 2,
  dnsComputer: 3,
  dnsDomain: 4,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1')
const MESSAGE_MAX = 8192
/** Behind the flags of an AUTHENTICATE_MESSAGE, where its version may stand, then its MIC (§2.2.1.3). */
const AUTHENTICATE_HEAD = 64
export const MIC_AT = 72
export const MIC_OCTETS = 16

export interface Authenticate {
  readonly flags: number
  readonly ntResponse: Uint8Array
  readonly domain: string
  readonly user: string
  /** Where the payload begins: a MIC has room before it, or has not. */
  readonly payloadAt: number
}

export interface Challenge {
  readonly flags: number
  readonly challenge: Uint8Array
  readonly targetInfo: Uint8Array
}

/** An AV_PAIR list as a map; undefined where it is cut off or not ended. */
export type Pairs = ReadonlyMap<number, Uint8Array>

function typeOf(octets: Buffer): number | undefined {
  if (octets.length < 12 || octets.length > MESSAGE_MAX) return undefined
  return octets.subarray(0, 8).equals(SIGNATURE) ? octets.readUInt32LE(8) : undefined
}

/** NEGOTIATE_MESSAGE: its flags. */
export function parseNegotiate(octets: Uint8Array): number | undefined {
  const buffer = Buffer.from(octets)
  return typeOf(buffer) === 1 && buffer.length >= 16 ? buffer.readUInt32LE(12) : undefined
}

export function formatNegotiate(flags: number): Uint8Array {
  const head = Buffer.alloc(32)
  SIGNATURE.copy(head)
  head.writeUInt32LE(1, 8)
  head.writeUInt32LE(flags, 12)
  return head
}

/** CHALLENGE_MESSAGE with its target's name and info. */
export function formatChallenge(challenge: Challenge, name: Uint8Array): Uint8Array {
  const head = Buffer.alloc(48)
  SIGNATURE.copy(head)
  head.writeUInt32LE(2, 8)
  writeField(head, 12, name.length, head.length)
  head.writeUInt32LE(challenge.flags, 20)
  head.set(challenge.challenge, 24)
  writeField(head, 40, challenge.targetInfo.length, head.length + name.length)
  return Buffer.concat([head, name, challenge.targetInfo])
}

export function parseChallenge(octets: Uint8Array): Challenge | undefined {
  const buffer = Buffer.from(octets)
  if (typeOf(buffer) !== 2 || buffer.length < 48) return undefined
  const targetInfo = fields(buffer, 48, [12, 40])?.[1]
  if (targetInfo === undefined) return undefined
  return { flags: buffer.readUInt32LE(20), challenge: buffer.subarray(24, 32), targetInfo }
}

/** AUTHENTICATE_MESSAGE; of its fields those that count. */
export function parseAuthenticate(octets: Uint8Array): Authenticate | undefined {
  const buffer = Buffer.from(octets)
  if (typeOf(buffer) !== 3 || buffer.length < AUTHENTICATE_HEAD) return undefined
  const flags = buffer.readUInt32LE(60)
  // LM response, NT response, domain, user, workstation, session key.
  const at = [12, 20, 28, 36, 44, 52]
  const found = fields(buffer, AUTHENTICATE_HEAD, at)
  if (found === undefined) return undefined
  const [, ntResponse = buffer, domainOctets = buffer, userOctets = buffer] = found
  const unicode = (flags & FLAG.unicode) !== 0
  const [domain, user] = [textOf(domainOctets, unicode), textOf(userOctets, unicode)]
  if (domain === undefined || user === undefined) return undefined
  const used = at.filter(place => buffer.readUInt16LE(place) > 0)
  const payloadAt = Math.min(buffer.length, ...used.map(place => buffer.readUInt32LE(place + 4)))
  return { flags, ntResponse, domain, user, payloadAt }
}

/** What a client says: responses, names, and room for a MIC behind the fixed part. */
export function formatAuthenticate(
  flags: number,
  { domain, user, ntResponse }: Pick<Authenticate, 'domain' | 'user' | 'ntResponse'>,
): Buffer {
  const head = Buffer.alloc(MIC_AT + MIC_OCTETS)
  SIGNATURE.copy(head)
  head.writeUInt32LE(3, 8)
  // MS-NLMP §3.1.5.1.2: where the server told the time, the LM response is zeros.
  const payload = [Buffer.alloc(24), ntResponse, utf16(domain), utf16(user), noOctets, noOctets]
  let at = head.length
  for (const [i, octets] of payload.entries()) {
    writeField(head, 12 + 8 * i, octets.length, at)
    at += octets.length
  }
  // Flags of a server may have the highest bit, and bits are signed in between.
  head.writeUInt32LE(flags >>> 0, 60)
  return Buffer.concat([head, ...payload])
}

const noOctets = new Uint8Array(0)

export function formatPairs(pairs: Iterable<readonly [number, Uint8Array]>): Uint8Array {
  const written = [...pairs, [AV.end, noOctets] as const].map(([id, value]) => {
    const head = Buffer.alloc(4)
    head.writeUInt16LE(id)
    head.writeUInt16LE(value.length, 2)
    return Buffer.concat([head, value])
  })
  return Buffer.concat(written)
}

export function parsePairs(octets: Uint8Array): Pairs | undefined {
  const buffer = Buffer.from(octets)
  const pairs = new Map<number, Uint8Array>()
  for (let at = 0; at + 4 <= buffer.length; ) {
    const [id, length] = [buffer.readUInt16LE(at), buffer.readUInt16LE(at + 2)]
    at += 4
    if (id === AV.end) return pairs
    if (at + length > buffer.length) return undefined
    pairs.set(id, buffer.subarray(at, at + length))
    at += length
  }
  return undefined
}

export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le')
}

/**
 * The payload fields at these places of the head: length (16 bits), the room for it (16), offset (32). Undefined
 * where one lies outside of the buffer or in the head, or where two share octets.
 */
function fields(
  buffer: Buffer,
  headOctets: number,
  places: readonly number[],
): readonly Buffer[] | undefined {
  const spans = places.map(place => {
    const length = buffer.readUInt16LE(place)
    const from = length === 0 ? headOctets : buffer.readUInt32LE(place + 4)
    return { from, to: from + length }
  })
  if (spans.some(({ from, to }) => from < headOctets || to > buffer.length)) return undefined
  const used = spans.filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)
  if (used.some((span, i) => span.from < (used[i - 1]?.to ?? 0))) return undefined
  return spans.map(({ from, to }) => buffer.subarray(from, to))
}

function writeField(head: Buffer, place: number, length: number, at: number): void {
  head.writeUInt16LE(length, place)
  head.writeUInt16LE(length, place + 2)
  head.writeUInt32LE(at, place + 4)
}

/** UTF-16 of whole characters, or OEM text, of which only ASCII is the same everywhere. */
function textOf(octets: Buffer, unicode: boolean): string | undefined {
  if (unicode && octets.length % 2 !== 0) return undefined
  const text = octets.toString(unicode ? 'utf16le' : 'latin1')
  if (!unicode && !/^[\x20-\x7e]*$/.test(text)) return undefined
  return text.isWellFormed() && !text.includes('\0') ? text : undefined
}
