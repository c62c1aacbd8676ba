/**
 * Writes header fields: one name, one value, folded at 78 characters (RFC 5322 §2.1.1, §2.2.3).
 *
 * Called by message/compose.ts and message/dsn.ts. A value with a line end or another control
 * character is not written but given back as undefined, so no caller can inject a field.
 */
import { encodeWords, isPlainText } from './encoded-word.ts'

const LINE_MAX_CHARS = 78
/** RFC 5322 §2.1.1: 998 octets without CRLF; a word up to this cannot break that. */
const WORD_MAX_OCTETS = 900

/** RFC 5322 §3.6.8 field-name; at most 76 characters, so that a value still fits. */
const NAME = /^[!-9;-~]{1,76}$/

/** True for a name a field may bear. */
export function isFieldName(name: string): boolean {
  return NAME.test(name)
}

/**
 * The field with its CRLF, folded before white space where a line would grow over 78 characters.
 * undefined where the value has a control character (a tab is none) or a word too long for a line.
 */
export function formatField(name: string, value: string): string | undefined {
  const trimmed = value.trim()
  if (!isFieldName(name) || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(trimmed)) return undefined
  let text = `${name}:`
  let length = text.length
  // Each piece is white space and the word behind it; a fold leaves both in place (§2.2.3).
  for (const piece of ` ${trimmed}`.match(/[ \t]+[^ \t]*/g) ?? []) {
    if (piece.length > WORD_MAX_OCTETS || Buffer.byteLength(piece) > WORD_MAX_OCTETS) {
      return undefined
    }
    if (length + piece.length > LINE_MAX_CHARS && length > name.length + 1) {
      text += '\r\n'
      length = 0
    }
    text += piece
    length += piece.length
  }
  return `${text}\r\n`
}

/** A field of free text: as it is where it is plain ASCII, else as encoded-words. Always safe. */
export function formatText(name: string, value: string): string {
  const trimmed = value.trim()
  const plain = isPlainText(trimmed) ? formatField(name, trimmed) : undefined
  return plain ?? formatField(name, encodeWords(trimmed)) ?? ''
}

/** A value told as it stood where that is ASCII, encoded-words and all: nobody is asked for SMTPUTF8 on its account. */
export function formatOriginal(name: string, value: string): string {
  const plain = /^[\t -~]*$/.test(value) ? formatField(name, value) : undefined
  return plain ?? formatText(name, value)
}
