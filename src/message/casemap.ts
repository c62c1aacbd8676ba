/**
 * Text as the collation i;unicode-casemap compares it (RFC 5051 §2): each character in its simple titlecase, then
 * decomposed, by compatibility too. So neither case tells two texts apart, nor how an accent is written. Called by SEARCH,
 * SORT and THREAD (RFC 5255 §4); for ASCII it is i;ascii-casemap. Pure.
 */

/** Digraphs, whose titlecase is no capital, and Georgian, whose capitals are for whole words alone. */
const TITLED = /[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10ff]/
const NOT_ASCII = /[^\x00-\x7f]/

export function casemap(text: string): string {
  const upper = text.toUpperCase()
  if (!NOT_ASCII.test(text)) return upper
  // Where no character became several (`ß`), the capitals are the simple ones.
  const simple = upper.length === text.length && !TITLED.test(text)
  return (simple ? upper : Array.from(text, titlecase).join('')).normalize('NFKD')
}

/** The simple titlecase of one character (UnicodeData.txt, field 14). */
function titlecase(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0x1c4 && code <= 0x1cc) {
    return String.fromCodePoint(0x1c5 + 3 * Math.floor((code - 0x1c4) / 3))
  }
  if (code >= 0x1f1 && code <= 0x1f3) return '\u01f2'
  if (code >= 0x10d0 && code <= 0x10ff) return character
  const upper = character.toUpperCase()
  if (upper.length === character.length) return upper
  // Greek with an iota below has a titlecase that keeps it; other characters that become several have none.
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCodePoint(code | 8)
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9)
  return character
}
