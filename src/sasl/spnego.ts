/**
 * The tokens of SPNEGO (RFC 4178 §4.2) as far as two can agree on a mechanism without a library: read strictly in DER
 * of definite lengths, and never by throwing. Kerberos in it is the library's affair (gssapi.ts); what we do
 * ourselves is NTLM (spnego-ntlm.ts).
 *
 *     NegotiationToken ::= CHOICE { negTokenInit [0] NegTokenInit, negTokenResp [1] NegTokenResp }
 *     NegTokenInit ::= SEQUENCE { mechTypes [0] SEQUENCE OF OBJECT IDENTIFIER, reqFlags [1] BIT STRING OPTIONAL,
 *       mechToken [2] OCTET STRING OPTIONAL, mechListMIC [3] OCTET STRING OPTIONAL }
 *     NegTokenResp ::= SEQUENCE { negState [0] ENUMERATED OPTIONAL, supportedMech [1] OBJECT IDENTIFIER OPTIONAL,
 *       responseToken [2] OCTET STRING OPTIONAL, mechListMIC [3] OCTET STRING OPTIONAL }
 */
import { TOKEN_MAX } from './gss-token.ts'

/** 1.3.6.1.4.1.311.2.2.10, as its octets are. */
export const NTLMSSP = '2b06010401823702020a'
const SPNEGO = '2b0601050502'

export const STATE = { completed: 0, incomplete: 1, reject: 2, requestMic: 3 } as const

export interface NegTokenInit {
  /** Object identifiers, in hexadecimal; the first is the one that the client has begun with. */
  readonly mechanisms: readonly string[]
  /** The list as it was written: what a MIC is over. */
  readonly list: Uint8Array
  readonly token?: Uint8Array
}

export interface NegTokenResp {
  readonly state?: number
  readonly mechanism?: string
  readonly token?: Uint8Array
  readonly mic?: Uint8Array
}

const TAG = { octets: 0x04, oid: 0x06, enumerated: 0x0a, sequence: 0x30, frame: 0x60 } as const
const context = (number: number) => 0xa0 + number
const MECHANISMS_MAX = 16

interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** The client's first token, its frame and all. */
export function parseInit(token: Uint8Array): NegTokenInit | undefined {
  if (token.length > TOKEN_MAX) return undefined
  const [oid, choice] = inside(only(token), TAG.frame) ?? []
  if (oid?.tag !== TAG.oid || hex(oid.content) !== SPNEGO) return undefined
  const parts = partsOf(inside(choice, context(0))?.[0])
  const list = parts?.get(0)
  const types = inside(list, TAG.sequence)
  if (list === undefined || types === undefined) return undefined
  if (types.length === 0 || types.length > MECHANISMS_MAX) return undefined
  if (types.some(({ tag }) => tag !== TAG.oid)) return undefined
  const carried = octetsOf(parts?.get(2))
  return {
    mechanisms: types.map(({ content }) => hex(content)),
    list: list.whole,
    ...(carried !== undefined && { token: carried }),
  }
}

/** What follows, of either side. */
export function parseResp(token: Uint8Array): NegTokenResp | undefined {
  if (token.length > TOKEN_MAX) return undefined
  const parts = partsOf(inside(only(token), context(1))?.[0])
  if (parts === undefined) return undefined
  const [state, type] = [parts.get(0), parts.get(1)]
  if (state !== undefined && (state.tag !== TAG.enumerated || state.content.length !== 1))
    return undefined
  if (type !== undefined && type.tag !== TAG.oid) return undefined
  const [carried, mic] = [octetsOf(parts.get(2)), octetsOf(parts.get(3))]
  return {
    ...(state !== undefined && { state: state.content[0] ?? STATE.reject }),
    ...(type !== undefined && { mechanism: hex(type.content) }),
    ...(carried !== undefined && { token: carried }),
    ...(mic !== undefined && { mic }),
  }
}

/** One mechanism, which is begun with; and the list that a MIC is over. */
export function formatInit(mechanism: string, token: Uint8Array) {
  const list = der(TAG.sequence, der(TAG.oid, Buffer.from(mechanism, 'hex')))
  const body = der(TAG.sequence, der(context(0), list), der(context(2), der(TAG.octets, token)))
  const oid = der(TAG.oid, Buffer.from(SPNEGO, 'hex'))
  return { list, octets: der(TAG.frame, oid, der(context(0), body)) }
}

export function formatResp({ state, mechanism, token, mic }: NegTokenResp): Buffer {
  const parts: Buffer[] = []
  if (state !== undefined) parts.push(der(context(0), der(TAG.enumerated, Uint8Array.of(state))))
  if (mechanism !== undefined)
    parts.push(der(context(1), der(TAG.oid, Buffer.from(mechanism, 'hex'))))
  if (token !== undefined) parts.push(der(context(2), der(TAG.octets, token)))
  if (mic !== undefined) parts.push(der(context(3), der(TAG.octets, mic)))
  return der(context(1), der(TAG.sequence, ...parts))
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}

/** A sequence of numbered parts, each once and in their order, each with one element in it. */
function partsOf(sequence: Element | undefined): ReadonlyMap<number, Element> | undefined {
  const parts = new Map<number, Element>()
  let last = -1
  for (const part of inside(sequence, TAG.sequence) ?? [undefined]) {
    if (part === undefined) return undefined
    const number = part.tag - context(0)
    const element = only(part.content)
    if (number <= last || number > 4 || element === undefined) return undefined
    parts.set(number, element)
    last = number
  }
  return parts
}

function octetsOf(element: Element | undefined): Uint8Array | undefined {
  return element?.tag === TAG.octets ? element.content : undefined
}

/** The elements in one of that tag; undefined where it is another, or they do not fill it. */
function inside(element: Element | undefined, tag: number): readonly Element[] | undefined {
  return element?.tag === tag ? elementsOf(element.content) : undefined
}

function only(octets: Uint8Array): Element | undefined {
  const all = elementsOf(octets)
  return all?.length === 1 ? all[0] : undefined
}

function elementsOf(octets: Uint8Array): readonly Element[] | undefined {
  const elements: Element[] = []
  for (let at = 0; at < octets.length; ) {
    const [tag = 0, first = 0xff] = octets.subarray(at, at + 2)
    const count = first < 0x80 ? 0 : first & 0x7f
    if (count > 3 || first === 0x80 || elements.length > MECHANISMS_MAX) return undefined
    const digits = octets.subarray(at + 2, at + 2 + count)
    const length = count === 0 ? first : digits.reduce((sum, octet) => sum * 256 + octet, 0)
    const from = at + 2 + count
    const to = from + length
    if (to > octets.length) return undefined
    elements.push({ tag, content: octets.subarray(from, to), whole: octets.subarray(at, to) })
    at = to
  }
  return elements
}

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, { length }) => sum + length, 0)
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 + digits.length, ...digits]
  return Buffer.concat([Buffer.from(head), ...contents])
}
