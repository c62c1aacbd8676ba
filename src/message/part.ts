/**
 * MIME parts, and how several become one multipart (RFC 2046 §5.1).
 *
 * Called by message/compose.ts and message/dsn.ts. The boundary is chosen so that it stands in no
 * part: whatever a peer put into a message, it cannot end ours.
 */
import type { Encoded, TransferEncoding } from './encode.ts'

export interface Part {
  /** Its Content-* fields, each with CRLF. */
  readonly fields: string
  /** Its encoded body. */
  readonly text: string
  readonly encoding: TransferEncoding
}

/** A leaf. `type` is the whole value of Content-Type; `fields` are complete with CRLF. */
export function part(type: string, body: Encoded, fields: readonly string[] = []): Part {
  const head = `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${body.encoding}\r\n`
  return { fields: head + fields.join(''), text: body.text, encoding: body.encoding }
}

/** A part whose text may hold anything. */
function isOpen(piece: Part): boolean {
  return piece.encoding === '7bit' || piece.encoding === '8bit'
}

/**
 * A boundary from the message's own unique id. `=_` stands in no quoted-printable or base64 text
 * (RFC 2045 §6.7); parts that go as they are, and inner multiparts, are searched.
 */
function boundaryFor(parts: readonly Part[], id: string): string {
  const unique = id.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)
  for (let n = 1; ; n++) {
    const boundary = `=_${n}_${unique}`
    if (!parts.some(piece => isOpen(piece) && piece.text.includes(`--${boundary}`))) return boundary
  }
}

/**
 * Several parts as one. `type` is the subtype with its own parameters, such as
 * `report; report-type=delivery-status`. A multipart is 8bit where a part is (RFC 2045 §6.4).
 */
export function join(type: string, parts: readonly Part[], id: string): Part {
  const boundary = boundaryFor(parts, id)
  const encoding = parts.some(piece => piece.encoding === '8bit') ? '8bit' : '7bit'
  const text = parts.map(piece => `--${boundary}\r\n${piece.fields}\r\n${piece.text}\r\n`).join('')
  const fields = `Content-Type: multipart/${type};\r\n boundary="${boundary}"\r\n${
    encoding === '8bit' ? 'Content-Transfer-Encoding: 8bit\r\n' : ''
  }`
  return { fields, text: `${text}--${boundary}--\r\n`, encoding }
}
