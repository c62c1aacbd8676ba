/**
 * What can be told of a GSS token without a library: of which mechanism it is (RFC 2743 §3.1), and the four octets
 * of RFC 4752 §3.3 that are wrapped behind Kerberos. Strict, and never by throwing.
 */
import type { GssForm } from '../world/gss.ts'

/** Object identifiers in DER. Of Kerberos also that which Windows writes by an old mistake. */
const FORMS: Readonly<Record<string, GssForm>> = {
  '06092a864886f712010202': 'krb5',
  '06092a864882f712010202': 'krb5',
  '06062b0601050502': 'spnego',
}

/** A token with the service's ticket, and what Windows puts into it, is far shorter. */
export const TOKEN_MAX = 65_536

/**
 *   InitialContextToken ::= [APPLICATION 0] IMPLICIT SEQUENCE { thisMech MechType, innerContextToken ANY }
 *
 * Undefined for what is no first token of ours. Only the frame is looked at; the rest is the library's.
 */
export function formOf(token: Uint8Array): GssForm | undefined {
  if (token.length > TOKEN_MAX || token[0] !== 0x60) return undefined
  const content = contentAt(token)
  if (content === undefined) return undefined
  const octets = 2 + (token[content + 1] ?? 0)
  return FORMS[Buffer.from(token.subarray(content, content + octets)).toString('hex')]
}

/** Where the content begins that the length in DER promises and that is there, whole and with nothing behind. */
function contentAt(token: Uint8Array): number | undefined {
  const first = token[1] ?? 0xff
  const count = first < 0x80 ? 0 : first & 0x7f
  if (count > 3 || (first >= 0x80 && count === 0)) return undefined
  const digits = token.subarray(2, 2 + count)
  const length = count === 0 ? first : digits.reduce((sum, octet) => sum * 256 + octet, 0)
  const content = 2 + count
  return content + length === token.length ? content : undefined
}

/** RFC 4752 §3.1: bits of a security layer. None is all that we have: TLS does better. */
export const LAYER = { none: 1, integrity: 2, confidentiality: 4 } as const

/** What a server offers: no layer, and hence no octets that it could receive wrapped (§3.2). */
export const OFFER = Uint8Array.of(LAYER.none, 0, 0, 0)

/** What the client chose: the layer, and as whom it acts. */
export function parseChoice(
  octets: Uint8Array,
):
  | { readonly layer: number; readonly sizeMax: number; readonly authorize: Uint8Array }
  | undefined {
  const parsed = parseOffer(octets)
  return parsed && { layer: parsed.layers, sizeMax: parsed.sizeMax, authorize: octets.subarray(4) }
}

export function parseOffer(
  octets: Uint8Array,
): { readonly layers: number; readonly sizeMax: number } | undefined {
  const [layers, high, middle, low] = octets
  if (layers === undefined || high === undefined || middle === undefined || low === undefined)
    return undefined
  return { layers, sizeMax: high * 65_536 + middle * 256 + low }
}
