/**
 * A header field without octets above 127, for a hop without 8BITMIME (RFC 6152 §3: what is beyond ASCII may not go there
 * "under any circumstances", and nothing may be lost). Free text and names become encoded-words (RFC 2047), parameters are
 * written as RFC 2231 has it, and an address beyond ASCII is shown in a name. Text is read as UTF-8, or else as
 * ISO 8859-1. Called by message/rewrite.ts; downgrade.ts is for readers, and may leave out what this may not.
 */
import { formatAddressList, parseAddressList } from './address-list.ts'
import { kindOfField, parametersOf, plainEntry } from './downgrade.ts'
import { encodeParameter } from './encoded-word.ts'
import { formatField, formatText } from './field.ts'
import { scanHeader } from './header.ts'

const BEYOND_ASCII = /[^\x00-\x7f]/
/** A boundary beyond ASCII, which no grammar knows. */
const BOUNDARY = /^content-type[ \t]*:.*;\s*boundary\s*=[^;]*[\x80-\xff]/is
/** Of a parameter that RFC 2231 has not touched yet. */
const NAME = /^[\w.!#$&+^`{|}~-]{1,60}$/

/** @param octets the whole field with its line ends */
export function plainField(octets: Buffer): Buffer {
  const raw = octets.toString('latin1')
  // The lines that it names stand in the body, and would be named no more.
  if (!BEYOND_ASCII.test(raw) || BOUNDARY.test(raw)) return octets
  const header = scanHeader(octets)
  const [field] = header.fields
  const name = raw.slice(0, Math.max(0, raw.indexOf(':'))).trim()
  const text = field && plainText(name, field.name, header.text(field))
  // What has no name that a field may bear is nobody's to read.
  return Buffer.from(text || raw.replace(/[\x80-\xff]/g, '?'), 'latin1')
}

/** Undefined or '' where nothing better is known than to replace each octet. */
function plainText(name: string, field: string, value: string): string | undefined {
  const kind = kindOfField(field)
  // What holds parameters may hold no encoded-word (RFC 2047 §5), and decides how all that follows is read.
  const parameters = kind === 'parameters' ? plainParameters(value) : undefined
  if (kind === 'parameters') return parameters && formatField(name, parameters)
  const said = kind === 'addresses' ? plainAddresses(value) : undefined
  return (said && formatField(name, said)) ?? formatText(name, value)
}

function plainAddresses(value: string): string | undefined {
  const { entries, fault } = parseAddressList(value)
  return fault === undefined ? formatAddressList(entries.map(plainEntry)) : undefined
}

/** Undefined where the type itself is beyond ASCII, or what stands there is no parameter. */
function plainParameters(value: string): string | undefined {
  const pieces: string[] = []
  for (const piece of parametersOf(value)) {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, Math.max(0, equals)).trim()
    if (!BEYOND_ASCII.test(piece)) pieces.push(piece.trim())
    else if (pieces.length === 0 || !NAME.test(name)) return undefined
    else pieces.push(...encodeParameter(name, unquoted(piece.slice(equals + 1).trim())))
  }
  return pieces.join('; ')
}

function unquoted(text: string): string {
  return /^"(.*)"$/s.exec(text)?.[1]?.replace(/\\(.)/gs, '$1') ?? text
}
