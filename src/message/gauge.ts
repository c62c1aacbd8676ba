/**
 * What octets hold, counted while they pass: whether they are 7bit, 8bit or binary data (RFC 2045
 * §2.7 to §2.9), and whether a line is too long to be sent (RFC 5322 §2.1.1).
 *
 * Called by message/survey.ts for each part, and by transport/fitting.ts for each message that is
 * to leave, so it is quick: one look, at four octets where they are plain, however they are cut.
 */

/** RFC 5321 §4.5.3.1.6: a line of text, without its CRLF. */
const LINE_MAX_OCTETS = 998

const LF = 10
const CR = 13
const DOT = 46

/** 14 in each octet of a word, and each octet's highest bit. */
const PLAINS = 0x0e0e0e0e
const HIGHEST = 0x80808080 | 0
/** Less than this is not worth a view of words. */
const WORDS_FROM_OCTETS = 64
const NO_WORDS = new Int32Array(0)

export class Gauge {
  octets = 0
  /** Octets above 127. */
  eightBit = 0
  /** CR or LF that stood alone. */
  bareLineEnds = 0
  nul = false
  longLine = false
  /** A line begins with a dot. */
  dotted = false
  /** Octets of the line under way. */
  #column = 0
  /** The last octet was a CR: the next one decides what it is. */
  #cr = false

  push(octets: Uint8Array): void {
    const to = octets.length
    if (to === 0) return
    this.octets += to
    let at = 0
    if (this.#cr) {
      this.#cr = false
      if (octets[0] !== LF) this.bareLineEnds += 1
      else at = 1
      this.#column = 0
    }
    let start = at - this.#column
    if (start === at && at < to && octets[at] === DOT) this.dotted = true
    const offset = octets.byteOffset
    const words =
      to < WORDS_FROM_OCTETS ? NO_WORDS : new Int32Array(octets.buffer, 0, (offset + to) >> 2)
    for (; at < to; at++) {
      if (((offset + at) & 3) === 0) {
        at = plainUpTo(words, (offset + at) >> 2) * 4 - offset
        if (at >= to) break
      }
      const octet = octets[at] as number
      if (octet > CR && octet < 128) continue
      if (octet > 127) this.eightBit += 1
      else if (octet === LF || octet === CR) {
        this.#ended(at - start)
        if (octet === CR && at + 1 === to) this.#cr = true
        else if (octet === CR && octets[at + 1] === LF) at += 1
        else this.bareLineEnds += 1
        start = at + 1
        if (start < to && octets[start] === DOT) this.dotted = true
      } else if (octet === 0) this.nul = true
    }
    this.#column = to - start
  }

  /** Lines that are known to be 7bit or 8bit data, and to have no dot at their beginning. */
  passed(octets: Uint8Array, is: '7bit' | '8bit'): void {
    if (!this.skipped(octets.length, is)) this.push(octets)
  }

  /** So many octets of such lines, that nobody need show; false, and nothing is counted, within a line. */
  skipped(octets: number, is: '7bit' | '8bit'): boolean {
    if (this.#column > 0 || this.#cr) return false
    this.octets += octets
    if (is === '8bit') this.eightBit += 1
    return true
  }

  /** There is nothing more: a last CR stands alone. */
  end(): this {
    if (this.#cr) this.bareLineEnds += 1
    this.#cr = false
    this.#ended(this.#column)
    return this
  }

  #ended(length: number): void {
    if (length > LINE_MAX_OCTETS) this.longLine = true
  }
}

/** The first word from `word` on that is not four octets of 14 to 127. */
function plainUpTo(words: Int32Array, word: number): number {
  let at = word
  for (; at < words.length; at++) {
    const four = words[at] as number
    // An octet below 14 borrows from its highest bit, and one above 127 has it.
    if (((four | (four - PLAINS)) & HIGHEST) !== 0) break
  }
  return at
}
