/**
 * Content-transfer-encodings for bodies (RFC 2045 §6): which one text needs, and how it is written.
 *
 * Called by message/compose.ts and message/dsn.ts. What comes out is ASCII in CRLF lines of at most
 * 76 characters, but for `7bit`, which is checked to have at most 998. It never streams: what is
 * composed here is written by people or by ourselves.
 */

export type TransferEncoding = '7bit' | '8bit' | 'quoted-printable' | 'base64'

/** A body as it stands in a message. `text` has no line end at its end but those it began with. */
export interface Encoded {
  readonly encoding: TransferEncoding
  readonly text: string
}

const LINE_MAX_CHARS = 76

/** Octets as base64 in lines of 76 characters (RFC 2045 §6.8). */
export function encodeBase64(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64')
  return (text.match(/.{1,76}/g) ?? []).join('\r\n')
}

/** Every kind of line end as CRLF, as text is transported (RFC 2045 §2.7). */
export function withCrlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n')
}

function hex(octet: number): string {
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
}

/**
 * One line without its line end as lines of at most 76 characters joined by soft line breaks. A
 * dot or `From ` at the start of a line is written in hexadecimal: some relays still touch those.
 */
function encodeLine(line: Buffer): string {
  let result = ''
  let row = ''
  for (let i = 0; i < line.length; i++) {
    const octet = line[i] as number
    const last = i === line.length - 1
    const blank = octet === 32 || octet === 9
    let piece = String.fromCharCode(octet)
    // RFC 2045 §6.7 (3): white space must not end a line.
    if (octet > 126 || octet === 61 || (octet < 32 && !blank) || (blank && last)) piece = hex(octet)
    else if (row === '' && (octet === 46 || (octet === 70 && isFromAt(line, i)))) piece = hex(octet)
    // The soft break `=` takes the 76th place unless the line ends here.
    if (row.length + piece.length > (last ? LINE_MAX_CHARS : LINE_MAX_CHARS - 1)) {
      result += `${row}=\r\n`
      row = ''
    }
    row += piece
  }
  return result + row
}

function isFromAt(line: Buffer, at: number): boolean {
  return line.toString('latin1', at, at + 5) === 'From '
}

/** Text in UTF-8 as quoted-printable (RFC 2045 §6.7); line ends become CRLF. */
export function encodeQuotedPrintable(text: string): string {
  return withCrlf(text)
    .split('\r\n')
    .map(line => encodeLine(Buffer.from(line)))
    .join('\r\n')
}

/** Octets as quoted-printable; only CRLF counts as a line end, a CR or LF alone is encoded. */
export function encodeOctets(octets: Uint8Array): string {
  const latin = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
  return latin
    .split('\r\n')
    .map(line => encodeLine(Buffer.from(line, 'latin1')))
    .join('\r\n')
}

/** True for text that may go as it is: ASCII, no controls, short lines, nothing relays change. */
function isSevenBit(text: string): boolean {
  if (/[^\t\n\r -~]/.test(text)) return false
  return withCrlf(text)
    .split('\r\n')
    .every(line => line.length <= LINE_MAX_CHARS + 2 && !/[ \t]$|^From |^\./.test(line))
}

/** Text in the encoding that keeps it legible: 7bit, else quoted-printable, else base64. */
export function encodeText(text: string): Encoded {
  const whole = text.toWellFormed()
  if (isSevenBit(whole)) return { encoding: '7bit', text: withCrlf(whole) }
  const octets = Buffer.from(withCrlf(whole))
  let foreign = 0
  for (const octet of octets) if (octet > 126) foreign++
  if (foreign * 3 > octets.length) return { encoding: 'base64', text: encodeBase64(octets) }
  return { encoding: 'quoted-printable', text: encodeQuotedPrintable(whole) }
}

/** What octets are, as RFC 2045 §2.7 to §2.9 tells kinds of data apart. */
export type Kind = '7bit' | '8bit' | 'binary'

/**
 * 7bit and 8bit are CRLF lines of at most 998 octets without NUL and without CR or LF alone;
 * anything else is binary.
 */
export function kindOf(octets: Uint8Array): Kind {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  if (buffer.includes(0)) return 'binary'
  let from = 0
  while (from < buffer.length) {
    const lf = buffer.indexOf(10, from)
    const cr = buffer.indexOf(13, from)
    if (lf < 0) {
      if (cr >= 0 || buffer.length - from > 998) return 'binary'
      break
    }
    if (cr < from || cr !== lf - 1 || cr - from > 998) return 'binary'
    from = lf + 1
  }
  for (const octet of buffer) if (octet > 127) return '8bit'
  return '7bit'
}
