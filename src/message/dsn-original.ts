/**
 * The third part of a notice: the message it is about (RFC 6522 §3 (3), RFC 3461 §4.3, RFC 6533 §4).
 *
 * Called by message/dsn.ts. Whole only where that is allowed and its octets can travel inside
 * another message; else its header, encoded where it is broken. The text it gives is latin1: one
 * character for each octet.
 */

import { encodeOctets, kindOf } from './encode.ts'
import type { Header } from './header.ts'
import type { Original } from './notice.ts'
import { type Part, part } from './part.ts'

/** Of a header that has no end, so much comes back. */
const HEADER_MAX_BYTES = 65_536

const WHOLE = ['Content-Description: Undelivered message\r\n']
const HEADER = ['Content-Description: Header of the message\r\n']

/** The header without its body, up to the last whole field that fits. */
function headerOctets(original: Original, header: Header): Uint8Array {
  const last = header.fields.findLast(field => field.next <= HEADER_MAX_BYTES)
  return original.prefix.subarray(header.from, last?.next ?? header.from)
}

function isUtf8(octets: Uint8Array): boolean {
  return !Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('utf8')
    .includes('\ufffd')
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
}

function wholePart(original: Original, head: Uint8Array, global: boolean): Part | undefined {
  if (original.prefix.length !== original.sizeOctets || original.body === 'BINARYMIME') {
    return undefined
  }
  const kind = kindOf(original.prefix)
  if (kind === 'binary') return undefined
  // RFC 6532 §3.7: message/global is a message whose header is UTF-8.
  const international = global && kindOf(head) !== '7bit' && isUtf8(head)
  const type = international ? 'message/global' : 'message/rfc822'
  return part(type, { encoding: kind, text: latin1(original.prefix) }, WHOLE)
}

/** True for a part that takes SMTPUTF8 to be sent. */
export function isInternational(piece: Part): boolean {
  return piece.fields.startsWith('Content-Type: message/global')
}

/** The original as a part: whole where `wholeAllowed` and possible, else its header. */
export function originalPart(
  original: Original,
  header: Header,
  wholeAllowed: boolean,
  global: boolean,
): Part {
  const head = headerOctets(original, header)
  const whole = wholeAllowed ? wholePart(original, head, global) : undefined
  if (whole !== undefined) return whole
  const kind = kindOf(head)
  if (kind === '7bit') {
    return part(
      'text/rfc822-headers; charset=us-ascii',
      { encoding: kind, text: latin1(head) },
      HEADER,
    )
  }
  if (global && kind === '8bit' && isUtf8(head)) {
    return part('message/global-headers', { encoding: kind, text: latin1(head) }, HEADER)
  }
  // RFC 6522 §4: a header that is broken or 8-bit is encoded, to be legal again.
  const charset = isUtf8(head) ? 'utf-8' : 'iso-8859-1'
  const text = encodeOctets(head)
  return part(
    `text/rfc822-headers; charset=${charset}`,
    { encoding: 'quoted-printable', text },
    HEADER,
  )
}
