/**
 * The attributes of XCLIENT and XFORWARD (Postfix, XCLIENT_README and XFORWARD_README). Called by their
 * verbs; what an attribute means is theirs.
 *
 *     command         = verb 1*( SP attribute-name "=" attribute-value )
 *     attribute-value = xtext
 */
import { decodeXtext } from '../wire/xtext.ts'

export interface Attribute<Name extends string> {
  readonly name: Name
  /** Undefined where it is [UNAVAILABLE] or [TEMPUNAVAIL]. */
  readonly value: string | undefined
}

const VALUE_MAX = 255
const UNKNOWN = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i

/** The attributes in order, or the name of the one that is unknown or malformed. */
export function parseAttributes<Name extends string>(
  argument: string,
  known: readonly Name[],
): readonly Attribute<Name>[] | string {
  const attributes: Attribute<Name>[] = []
  for (const word of argument.split(' ')) {
    if (word === '') continue
    const equals = word.indexOf('=')
    const written = (equals < 0 ? word : word.slice(0, equals)).toUpperCase()
    const name = known.find(each => each === written)
    const decoded = equals < 0 ? undefined : decodeXtext(word.slice(equals + 1))
    if (name === undefined || decoded === undefined || decoded.length > VALUE_MAX) return written
    const value = UNKNOWN.test(decoded) ? undefined : printable(decoded)
    if (value === '') return written
    attributes.push({ name, value })
  }
  return attributes
}

/** The octets as UTF-8, with `?` for whatever cannot stand in a line of a log or a header. */
function printable(octets: string): string {
  const text = Buffer.from(octets, 'latin1').toString('utf8')
  return text.replace(/[\x00-\x20\x7f-\xa0\u2028\u2029\ufffd"(),<>;\\]/g, '?')
}

/** A port, or NaN. */
export function parsePort(text: string): number {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : Number.NaN
}
