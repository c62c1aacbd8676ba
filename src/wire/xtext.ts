/**
 * xtext (RFC 3461 §4): the armour of ENVID, ORCPT and AUTH values in SMTP parameters.
 *
 *     xtext   = *( xchar / hexchar )
 *     xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
 *     hexchar = "+" 2(%x30-39 / %x41-46)
 */

/** The decoded text, one character an octet, or undefined where the text is not xtext. */
export function decodeXtext(text: string): string | undefined {
  let decoded = ''
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2b) {
      const octet = upperHex(text.charCodeAt(at + 1)) * 16 + upperHex(text.charCodeAt(at + 2))
      if (Number.isNaN(octet)) return undefined
      decoded += String.fromCharCode(octet)
      at += 2
    } else if (code < 0x21 || code > 0x7e || code === 0x3d) return undefined
    else decoded += text[at]
  }
  return decoded
}

/** Armours text of ASCII characters; anything above is written as its UTF-8 octets. */
export function encodeXtext(text: string): string {
  let encoded = ''
  for (const octet of Buffer.from(text, 'utf8')) {
    encoded +=
      octet < 0x21 || octet > 0x7e || octet === 0x2b || octet === 0x3d
        ? `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(octet)
  }
  return encoded
}

/** The value of an upper-case hexadecimal digit, or NaN: lower case is not xtext. */
function upperHex(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x41 && code <= 0x46 ? code - 0x37 : Number.NaN
}
