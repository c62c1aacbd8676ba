/**
 * How values are written in an answer (RFC 9051 §4, §9): strings quoted where they can be, literals where they
 * must; NIL for what is not there. Text is octets, one character each (latin1).
 */

/** Longer than this a literal is the kinder form, and some clients bound what they unquote. */
const QUOTED_MAX_CHARS = 1000

/** string = quoted / literal. Without UTF-8 on, only ASCII may be quoted (RFC 9051 §4.3). */
export function formatString(octets: string, utf8 = false): string {
  const quotable = utf8 ? /^[^\x00\r\n]*$/ : /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/
  if (octets.length <= QUOTED_MAX_CHARS && quotable.test(octets)) {
    return `"${octets.replace(/[\\"]/g, '\\$&')}"`
  }
  return `{${octets.length}}\r\n${octets}`
}

/** A tag as a string: what a tag is made of needs no escape, however long it is (RFC 9051 §9 tag). */
export function formatTag(tag: string): string {
  return `"${tag}"`
}

export function formatNstring(octets: string | undefined, utf8 = false): string {
  return octets === undefined ? 'NIL' : formatString(octets, utf8)
}

/** Text as the octets of its UTF-8. */
export function octetsOf(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
