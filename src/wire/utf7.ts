/**
 * Modified UTF-7 (RFC 3501 §5.1.3): how IMAP4rev1 writes mailbox names beyond ASCII. `&` begins base64
 * of UTF-16 with `,` for `/` and without padding, `-` ends it, and `&-` is `&` itself. Reading is
 * strict: what could be written another way is refused, so that each name has one spelling.
 */

/** The text in modified UTF-7. */
export function encodeUtf7(text: string): string {
  let encoded = ''
  let shifted = ''
  const unshift = () => {
    if (shifted === '') return
    encoded += `&${base64OfUtf16(shifted)}-`
    shifted = ''
  }
  // By UTF-16 units: a pair of surrogates is two of them, and both are shifted.
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0x20 && unit <= 0x7e) {
      unshift()
      encoded += unit === 0x26 ? '&-' : text[at]
    } else shifted += text[at]
  }
  unshift()
  return encoded
}

/** The text behind modified UTF-7; undefined where it is none, or not in its one spelling. */
export function decodeUtf7(encoded: string): string | undefined {
  let text = ''
  for (let at = 0; at < encoded.length; ) {
    const amp = encoded.indexOf('&', at)
    if (amp < 0) {
      text += encoded.slice(at)
      break
    }
    text += encoded.slice(at, amp)
    const minus = encoded.indexOf('-', amp)
    if (minus < 0) return undefined
    if (minus === amp + 1) text += '&'
    else {
      const shifted = utf16OfBase64(encoded.slice(amp + 1, minus))
      if (shifted === undefined) return undefined
      text += shifted
    }
    at = minus + 1
  }
  return encodeUtf7(text) === encoded ? text : undefined
}

function base64OfUtf16(text: string): string {
  return Buffer.from(text, 'utf16le')
    .swap16()
    .toString('base64')
    .replaceAll('/', ',')
    .replace(/=+$/, '')
}

function utf16OfBase64(base64: string): string | undefined {
  if (!/^[A-Za-z0-9+,]+$/.test(base64)) return undefined
  const octets = Buffer.from(base64.replaceAll(',', '/'), 'base64')
  if (octets.length === 0 || octets.length % 2 !== 0) return undefined
  const text = octets.swap16().toString('utf16le')
  // Half of a pair is no character, and no store keeps it.
  return text.isWellFormed() ? text : undefined
}
