/**
 * Reads the arguments of one IMAP command (RFC 9051 §9, RFC 3501 §9): atoms, numbers, strings and lists,
 * from the text of its lines and the literals between them. The first fault sticks: behind it nothing is
 * taken any more and every reader gives an empty value, so that a parser reads like its ABNF and
 * asks once, at its end, whether `fault` is set. It never throws and never recurses by itself.
 *
 * Octets are one character each (latin1); who wants text decodes it (mailbox-name.ts, search-key.ts).
 */

/** A literal, as it stood between two lines. */
export interface Literal {
  readonly octets: Uint8Array
  /** `~{n}`: may hold NUL (RFC 3516 §4.2). */
  readonly binary: boolean
}

/** `{n}`, `{n+}` or `~{n}` at the end of a line (RFC 9051 §4.3, RFC 7888, RFC 3516). */
export interface Announced {
  readonly sizeOctets: number
  /** The client waits for our `+`. */
  readonly waits: boolean
  readonly binary: boolean
}

/** The lines of a command without their line ends and literal announcements, and the literals between. */
export type Segment = string | Literal

const SPACE = 0x20
const NUMBER64_MAX = 2n ** 63n - 1n

export class Cursor {
  /** What is wrong, and from then on everything is. */
  fault: string | undefined
  /** The literal that the last line announces and that was left to be streamed (APPEND). */
  readonly announced: Announced | undefined
  readonly #segments: readonly Segment[]
  #index = 0
  #at = 0

  constructor(segments: readonly Segment[], announced?: Announced) {
    this.#segments = segments
    this.announced = announced
  }

  /** Whether all has been read, or a fault ended the reading. */
  get ended(): boolean {
    if (this.fault !== undefined) return true
    const segment = this.#segments[this.#index]
    if (segment === undefined) return true
    const last = this.#index === this.#segments.length - 1
    return typeof segment === 'string' && last && this.#at >= segment.length
  }

  /** Whether the fault is that there was too little: a literal that follows might mend it. */
  starved = false

  fail(why: string): void {
    if (this.fault !== undefined) return
    this.starved = this.ended
    this.fault = why
  }

  /** The code of the next character of text; -1 at a literal or the end. */
  get next(): number {
    if (this.fault !== undefined) return -1
    const segment = this.#segments[this.#index]
    return typeof segment === 'string' && this.#at < segment.length
      ? segment.charCodeAt(this.#at)
      : -1
  }

  /** The next characters of text, without taking them. */
  ahead(count: number): string {
    const segment = this.#segments[this.#index]
    if (this.fault !== undefined || typeof segment !== 'string') return ''
    return segment.slice(this.#at, this.#at + count)
  }

  /** Takes these characters, in any case, if they stand here. */
  take(text: string): boolean {
    if (this.fault !== undefined) return false
    const segment = this.#segments[this.#index]
    if (typeof segment !== 'string') return false
    const here = segment.slice(this.#at, this.#at + text.length)
    if (here !== text && here.toUpperCase() !== text.toUpperCase()) return false
    this.#at += text.length
    return true
  }

  /** Goes back by so many characters of text that were taken just now. */
  back(count: number): void {
    if (this.fault === undefined) this.#at -= count
  }

  /** Takes these characters or fails. */
  expect(text: string): void {
    if (!this.take(text)) this.fail(text === ' ' ? 'a space is wanted' : `'${text}' is wanted`)
  }

  /** SP. */
  space(): void {
    this.expect(' ')
  }

  /** Demands that nothing is left. */
  end(): void {
    if (!this.ended) this.fail('there is more than the command takes')
  }

  /** 1*ATOM-CHAR and whatever of `also`: no controls, space, 8-bit octets or `( ) { % * " \ ]`. */
  atom(also = ''): string {
    return this.#run(
      code => isAtomChar(code) || also.includes(String.fromCharCode(code)),
      'an atom',
    )
  }

  /** An atom in upper case: a keyword. */
  word(also = ''): string {
    return this.atom(also).toUpperCase()
  }

  /** number = 1*DIGIT, up to 2^32 - 1. */
  number(most = 0xffff_ffff): number {
    const digits = this.#digits()
    const value = Number(digits)
    if (value > most) this.fail('the number is too large')
    return this.fault === undefined ? value : 0
  }

  /** nz-number. */
  positive(): number {
    const value = this.number()
    if (value === 0) this.fail('a number above zero is wanted')
    return value
  }

  /**
   * number64 / mod-sequence-value: up to 2^63 - 1 (RFC 9051 §9, RFC 7162 §7). Nothing here is as large as what a double
   * cannot tell apart, so that above it all are one.
   */
  number64(): number {
    const digits = this.#digits()
    if (this.fault === undefined && BigInt(digits) > NUMBER64_MAX) {
      this.fail('the number is too large')
    }
    return this.fault === undefined ? Math.min(Number(digits), Number.MAX_SAFE_INTEGER) : 0
  }

  /** string = quoted / literal. */
  string(): string {
    return this.#literal()?.text ?? this.#quoted()
  }

  /** The same, octets of a `~{n}` literal too. */
  binary(): { readonly text: string; readonly binary: boolean } {
    return this.#literal(true) ?? { text: this.#quoted(), binary: false }
  }

  /** astring = 1*ASTRING-CHAR / string; `]` may stand in one, and 8-bit octets where allowed. */
  astring(): string {
    if (this.#stringAhead()) return this.string()
    return this.atom(']')
  }

  /** nstring = string / NIL. */
  nstring(): string | undefined {
    if (this.#stringAhead()) return this.string()
    if (!this.take('NIL')) this.fail('a string or NIL is wanted')
    return undefined
  }

  /** list-mailbox = 1*list-char / string: an astring in which wildcards may stand. */
  listMailbox(): string {
    return this.#stringAhead() ? this.string() : this.atom('%*]')
  }

  /** "(" [item *(SP item)] ")"; at most `most` items. */
  list<T>(item: () => T, most = 10_000): T[] {
    const items: T[] = []
    this.expect('(')
    if (this.take(')')) return items
    do {
      items.push(item())
      if (items.length > most) this.fail('the list is too long')
    } while (this.fault === undefined && this.take(' '))
    this.expect(')')
    return items
  }

  /** The rest of the line as it is: for what is not to be understood. */
  skip(): void {
    this.#index = this.#segments.length
  }

  #stringAhead(): boolean {
    const segment = this.#segments[this.#index]
    if (typeof segment !== 'string') return segment !== undefined
    return segment.charCodeAt(this.#at) === 0x22 || this.#literalAhead()
  }

  /** Whether the text ends here and a literal follows. */
  #literalAhead(): boolean {
    const segment = this.#segments[this.#index]
    if (typeof segment !== 'string' || this.#at < segment.length) return false
    return this.#segments[this.#index + 1] !== undefined
  }

  #literal(binary = false): { readonly text: string; readonly binary: boolean } | undefined {
    if (this.fault !== undefined || !this.#literalAhead()) return undefined
    const literal = this.#segments[this.#index + 1] as Literal
    this.#index += 2
    this.#at = 0
    if (literal.binary && !binary) this.fail('a literal8 has no place here')
    const octets = Buffer.from(
      literal.octets.buffer,
      literal.octets.byteOffset,
      literal.octets.byteLength,
    )
    // RFC 9051 §4.3: no NUL but in a literal8.
    if (!literal.binary && octets.includes(0)) this.fail('NUL stands in a literal')
    return { text: octets.toString('latin1'), binary: literal.binary }
  }

  /** quoted = DQUOTE *QUOTED-CHAR DQUOTE: no NUL, CR or LF; a backslash stands only before `"` and itself. */
  #quoted(): string {
    const segment = this.#segments[this.#index]
    if (this.fault !== undefined) return ''
    if (typeof segment !== 'string' || !this.take('"')) {
      this.fail('a string is wanted')
      return ''
    }
    let text = ''
    let from = this.#at
    for (let at = from; at < segment.length; at++) {
      const code = segment.charCodeAt(at)
      if (code === 0x22) {
        this.#at = at + 1
        return text + segment.slice(from, at)
      }
      if (code === 0 || code === 0x0d || code === 0x0a) break
      if (code === 0x5c) {
        const escaped = segment.charCodeAt(at + 1)
        if (escaped !== 0x22 && escaped !== 0x5c) break
        text += segment.slice(from, at)
        from = ++at
      }
    }
    this.fail('the quoted string is not well formed')
    return ''
  }

  /** 1*DIGIT, no more of them than any number has. */
  #digits(): string {
    const digits = this.#run(isDigit, 'a number')
    if (digits.length > 20) this.fail('the number is too large')
    return digits
  }

  #run(belongs: (code: number) => boolean, what: string): string {
    const segment = this.#segments[this.#index]
    if (this.fault !== undefined) return ''
    if (typeof segment !== 'string') {
      this.fail(`${what} is wanted`)
      return ''
    }
    let at = this.#at
    while (at < segment.length && belongs(segment.charCodeAt(at))) at++
    if (at === this.#at) this.fail(`${what} is wanted`)
    const text = segment.slice(this.#at, at)
    this.#at = at
    return text
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** ATOM-CHAR: any CHAR but atom-specials (RFC 9051 §9). */
function isAtomChar(code: number): boolean {
  if (code <= SPACE || code >= 0x7f) return false
  // ( ) { % * " \ ]
  return !(
    code === 0x28 ||
    code === 0x29 ||
    code === 0x7b ||
    code === 0x25 ||
    code === 0x2a ||
    code === 0x22 ||
    code === 0x5c ||
    code === 0x5d
  )
}
