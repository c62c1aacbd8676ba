/**
 * What octets hold, counted while they pass: whether they are 7bit, 8bit or binary data (RFC 2045
 * §2.7 to §2.9), and whether a line is too long to be sent (RFC 5322 §2.1.1).
 *
 * Called by message/survey.ts for each part, and by transport/fitting.ts for each message that is
 * to leave, so it is quick: one look at each octet, however they are cut.
 */

/** RFC 5321 §4.5.3.1.6: a line of text, without its CRLF. */
const LINE_MAX_OCTETS = 998

const LF = 10
const CR = 13

export class Gauge {
  octets = 0
  /** Octets above 127. */
  eightBit = 0
  /** CR or LF that stood alone. */
  bareLineEnds = 0
  nul = false
  longLine = false
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
    for (; at < to; at++) {
      const octet = octets[at] as number
      if (octet > CR && octet < 128) continue
      if (octet > 127) this.eightBit += 1
      else if (octet === LF || octet === CR) {
        this.#ended(at - start)
        if (octet === CR && at + 1 === to) this.#cr = true
        else if (octet === CR && octets[at + 1] === LF) at += 1
        else this.bareLineEnds += 1
        start = at + 1
      } else if (octet === 0) this.nul = true
    }
    this.#column = to - start
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
