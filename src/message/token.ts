/**
 * The lexical tokens of structured fields (RFC 5322 §3.2, with the UTF-8 of RFC 6532).
 *
 * One pass, no recursion: nested comments are counted. White space is not a token; each token
 * knows whether some stood before it. message/address-list.ts is built on it.
 */

export interface Token {
  /** An atom, the content of a quoted string, a domain literal in its brackets, a comment; or a special. */
  readonly kind:
    | 'atom'
    | 'quoted'
    | 'literal'
    | 'comment'
    | 'junk'
    | 'end'
    | '.'
    | '@'
    | '<'
    | '>'
    | ','
    | ';'
    | ':'
  readonly text: string
  /** White space or a comment stood before it. */
  readonly spaced: boolean
}

function isSpecial(char: string): char is '.' | '@' | '<' | '>' | ',' | ';' | ':' {
  return char.length === 1 && '.@<>,;:'.includes(char)
}

/** Not `atext`: white space, controls and specials of RFC 5322 §3.2.3. */
const NOT_ATEXT = /[\u0000-\u0020\u007f()<>[\]:;@\\,."]/g

export class Lexer {
  readonly #text: string
  #at = 0
  #given: Token | undefined
  /** Becomes true once a quote, comment or bracket ran into the end of the text. */
  unclosed = false

  constructor(text: string) {
    this.#text = text
  }

  /** Gives a token back, to be read again. */
  back(token: Token): void {
    this.#given = token
  }

  next(): Token {
    const given = this.#given
    if (given !== undefined) {
      this.#given = undefined
      return given
    }
    const text = this.#text
    const from = this.#at
    while (this.#at < text.length && ' \t\r\n'.includes(text[this.#at] as string)) this.#at++
    const spaced = this.#at > from
    const char = text[this.#at]
    if (char === undefined) return { kind: 'end', text: '', spaced }
    if (isSpecial(char)) {
      this.#at++
      return { kind: char, text: char, spaced }
    }
    if (char === '"') return { kind: 'quoted', text: this.#delimited('"'), spaced }
    if (char === '(') return { kind: 'comment', text: this.#comment(), spaced: true }
    if (char === '[') return { kind: 'literal', text: `[${this.#delimited(']')}]`, spaced }
    NOT_ATEXT.lastIndex = this.#at
    const end = NOT_ATEXT.exec(text)?.index ?? text.length
    const atom = text.slice(this.#at, end)
    this.#at = Math.max(end, this.#at + 1)
    return atom === '' ? { kind: 'junk', text: char, spaced } : { kind: 'atom', text: atom, spaced }
  }

  /** Content up to the closing character, quoted-pairs undone; folds were undone before. */
  #delimited(close: string): string {
    const text = this.#text
    let result = ''
    let from = this.#at + 1
    for (let i = from; i < text.length; i++) {
      const char = text[i]
      if (char === '\\' && i + 1 < text.length) {
        result += text.slice(from, i)
        from = i + 1
        i++
      } else if (char === close) {
        this.#at = i + 1
        return result + text.slice(from, i)
      }
    }
    this.unclosed = true
    this.#at = text.length
    return result + text.slice(from)
  }

  /** The text of a comment without its outer parentheses; inner ones stay as they stand. */
  #comment(): string {
    const text = this.#text
    const from = this.#at + 1
    let depth = 0
    for (let i = this.#at; i < text.length; i++) {
      const char = text[i]
      if (char === '\\') i++
      else if (char === '(') depth++
      else if (char === ')' && --depth === 0) {
        this.#at = i + 1
        return text.slice(from, i).replace(/\\(.)/gs, '$1')
      }
    }
    this.unclosed = true
    this.#at = text.length
    return text.slice(from)
  }
}
