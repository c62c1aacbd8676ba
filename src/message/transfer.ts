/**
 * Content-transfer-encodings as streams (RFC 2045 §6.7, §6.8): what message/rewrite.ts puts a body
 * through. Whatever the cuts, the same octets come out. The encoders for text that stands in memory
 * whole are in message/encode.ts.
 */

/** A filter like wire/effect.ts's Transform, that is told at its end whether the message ends too. */
export interface Recoding {
  push(octets: Uint8Array): Uint8Array
  /** @param last no line end follows: what is left must be closed by one that means nothing */
  end(last: boolean): Uint8Array
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const DASH = 45
const DOT = 46
const EQUALS = 61
const NOTHING = Buffer.alloc(0)
const CRLF = Buffer.from('\r\n')
const SOFT_BREAK = Buffer.from('=\r\n')
const FROM = Buffer.from('From ')
const HEX = Buffer.from('0123456789ABCDEF')

/** What follows a character decides how it is written: a line end, or the rest of `From `. */
const AHEAD_OCTETS = 4
/** RFC 2045 §6.7 (5): 76 with the `=` of a soft line break. */
const ROW_MAX_CHARS = 75
/** Octets that make a row of base64 of 76 characters. */
const ROW_OCTETS = 57

/**
 * Quoted-printable. A line end is CRLF; CR or LF alone is an octet like others. No row begins with
 * a dash, a dot or `From `: so that none is taken for a delimiter line that was none before.
 */
export function quotedPrintable(): Recoding {
  return new QuotedPrintable()
}

class QuotedPrintable implements Recoding {
  #held: Buffer = NOTHING
  #column = 0

  push(octets: Uint8Array): Uint8Array {
    const source = this.#held.length === 0 ? asBuffer(octets) : Buffer.concat([this.#held, octets])
    const to = withoutHalfBreak(source, source.length - AHEAD_OCTETS)
    this.#held = Buffer.from(source.subarray(to))
    return to === 0 ? NOTHING : this.#write(source, to)
  }

  end(last: boolean): Uint8Array {
    const out = this.#write(this.#held, this.#held.length)
    this.#held = NOTHING
    return last && this.#column > 0 ? Buffer.concat([out, SOFT_BREAK]) : out
  }

  #write(source: Buffer, to: number): Buffer {
    const out = Buffer.allocUnsafe(8 + Math.ceil(to * 3.2))
    let size = 0
    let column = this.#column
    for (let at = 0; at < to; at++) {
      const octet = source[at] as number
      const breaks = octet === CR && source[at + 1] === LF
      if (breaks) {
        at += 1
        column = 0
        size = write(out, size, CRLF)
        continue
      }
      let plain = isPlain(octet, source, at)
      if (column + (plain ? 1 : 3) > ROW_MAX_CHARS) {
        size = write(out, size, SOFT_BREAK)
        column = 0
      }
      if (column === 0 && isRisky(octet, source, at)) plain = false
      if (plain) out[size++] = octet
      else size = writeHex(out, size, octet)
      column += plain ? 1 : 3
    }
    this.#column = column
    return out.subarray(0, size)
  }
}

/** RFC 2045 §6.7 (2), (3): printable ASCII but `=`; white space where it does not end a line. */
function isPlain(octet: number, source: Buffer, at: number): boolean {
  if (octet > SPACE && octet < 127) return octet !== EQUALS
  if (octet !== SPACE && octet !== TAB) return false
  const next = source[at + 1]
  return next !== undefined && !(next === CR && source[at + 2] === LF)
}

function isRisky(octet: number, source: Buffer, at: number): boolean {
  if (octet === DASH || octet === DOT) return true
  return octet === FROM[0] && source.subarray(at, at + FROM.length).equals(FROM)
}

/** Base64 in rows of 76 characters, CRLF between them. */
export function base64(): Recoding {
  let held: Buffer = NOTHING
  let rows = 0
  const encode = (source: Buffer, to: number): Uint8Array => {
    let text = ''
    for (let at = 0; at < to; at += ROW_OCTETS) {
      if (rows++ > 0) text += '\r\n'
      text += source.toString('base64', at, Math.min(at + ROW_OCTETS, to))
    }
    return Buffer.from(text, 'latin1')
  }
  return {
    push(octets) {
      const source = held.length === 0 ? asBuffer(octets) : Buffer.concat([held, octets])
      const to = source.length - (source.length % ROW_OCTETS)
      held = Buffer.from(source.subarray(to))
      return encode(source, to)
    },
    end(last) {
      const out = encode(held, held.length)
      held = NOTHING
      return last && rows > 0 ? Buffer.concat([out, CRLF]) : out
    },
  }
}

/** Every CR or LF that stands alone as CRLF: text as it is transported (RFC 2045 §2.7, §6.6). */
export function canonicalLines(inner: Recoding): Recoding {
  let cr = false
  return {
    push(octets) {
      if (octets.length === 0) return NOTHING
      const out = Buffer.allocUnsafe(2 * octets.length + 1)
      let size = 0
      for (const octet of octets) {
        const half = cr
        cr = octet === CR
        if (half || octet === LF) size = write(out, size, CRLF)
        // The LF of a CRLF was written with it; a CR waits for what comes.
        if (octet !== LF && octet !== CR) out[size++] = octet
        else if (half && octet === LF) cr = false
      }
      return inner.push(out.subarray(0, size))
    },
    end(last) {
      const rest = cr ? inner.push(CRLF) : NOTHING
      return Buffer.concat([rest, inner.end(last)])
    },
  }
}

/**
 * What says it is base64 and holds what it must not, or lines without end: its alphabet, in rows anew.
 * Anything else in it means nothing (RFC 2045 §6.8).
 */
export function mendedBase64(): Recoding {
  let column = 0
  return {
    push(octets) {
      const out = Buffer.allocUnsafe(octets.length + 2 * Math.ceil(octets.length / 76) + 2)
      let size = 0
      for (const octet of octets) {
        if (!isBase64(octet)) continue
        if (column === 76) {
          size = write(out, size, CRLF)
          column = 0
        }
        out[size++] = octet
        column += 1
      }
      return out.subarray(0, size)
    },
    end: last => (last && column > 0 ? CRLF : NOTHING),
  }
}

function isBase64(octet: number): boolean {
  const letter = octet | 32
  if (letter > 96 && letter < 123) return octet > 64
  // `/` stands before the digits.
  return (octet > 46 && octet < 58) || octet === 43 || octet === EQUALS
}

/** Rows of text that says it is quoted-printable are left alone up to here. */
const LEFT_MAX_CHARS = 900

/**
 * What says it is quoted-printable and holds what it must not: that in hexadecimal, and soft line
 * breaks into lines without end. What was encoded stays as it is. Called behind `canonicalLines`.
 */
export function mendedQuotedPrintable(): Recoding {
  let column = 0
  /** Characters of an `=XX` still to come: it is not cut. */
  let glued = 0
  return {
    push(octets) {
      const out = Buffer.allocUnsafe(8 + Math.ceil(octets.length * 3.2))
      let size = 0
      for (const octet of octets) {
        if (octet === CR || octet === LF) {
          out[size++] = octet
          column = glued = 0
          continue
        }
        const plain = octet === TAB || (octet >= SPACE && octet < 127)
        const broken = column >= LEFT_MAX_CHARS && glued === 0
        if (broken) {
          size = write(out, size, SOFT_BREAK)
          column = 0
        }
        const asIs = plain && !(broken && (octet === DASH || octet === DOT))
        if (asIs) out[size++] = octet
        else size = writeHex(out, size, octet)
        column += asIs ? 1 : 3
        glued = octet === EQUALS ? 2 : Math.max(0, glued - 1)
      }
      return out.subarray(0, size)
    },
    end: last => (last && column > 0 ? SOFT_BREAK : NOTHING),
  }
}

function write(out: Buffer, at: number, octets: Buffer): number {
  for (let i = 0; i < octets.length; i++) out[at + i] = octets[i] as number
  return at + octets.length
}

function writeHex(out: Buffer, at: number, octet: number): number {
  out[at] = EQUALS
  out[at + 1] = HEX[octet >> 4] as number
  out[at + 2] = HEX[octet & 15] as number
  return at + 3
}

/** Where to cut so that a CRLF stays whole. */
function withoutHalfBreak(source: Buffer, to: number): number {
  if (to <= 0) return 0
  return source[to - 1] === CR && source[to] === LF ? to - 1 : to
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
