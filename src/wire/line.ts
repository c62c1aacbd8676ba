/**
 * Lines out of received octets: what every text protocol here reads commands and replies with
 * (RFC 5321 §2.3.8, RFC 1939 §3, RFC 9051 §2.2). Used by the sessions; it never keeps more than
 * the limit it is called with, and never looks at an octet twice.
 */
import type { Octets } from './octets.ts'

const CR = 13
const LF = 10

/** What is left of an overlong line, in octets, from its start and from its end. */
const HEAD_OCTETS = 1_000
const TAIL_OCTETS = 40

/** 'more': the line is not whole yet. 'overlong': it ended, but all behind its head was thrown away. */
export type LineState = 'line' | 'more' | 'overlong'

export class LineReader {
  /** The last line without its end, one character an octet; of an overlong one its head. */
  text = ''
  /** The last octets of the last overlong line, its end left out: IMAP announces literals there. */
  tail = ''
  /** Octets of the last line with its end; also counts what an overlong line has thrown away. */
  octets = 0
  /** True where all that is here of an unfinished line ends with a LF that stands alone. */
  endsInLoneLf = false
  readonly #input: Octets
  readonly #lfEnds: boolean
  /** How much of the line was searched already. */
  #searched = 0
  #dropped = 0

  /** With `lfEnds` a lone LF ends a line too; else only CRLF does, and a lone LF is in the text. */
  constructor(input: Octets, lfEnds = false) {
    this.#input = input
    this.#lfEnds = lfEnds
  }

  /** True while an overlong line is being thrown away. */
  get dropping(): boolean {
    return this.#dropped > 0
  }

  /** How many octets of the present overlong line were thrown away. */
  get droppedOctets(): number {
    return this.#dropped
  }

  /** Takes the next line of at most `limitOctets` with its end out of the input. */
  next(limitOctets: number): LineState {
    const input = this.#input
    const end = this.#findEnd()
    // What follows may come still; if nothing does, this peer takes LF for a line end.
    this.endsInLoneLf =
      end < 0 && (input.length > 0 ? input.buffer[input.to - 1] === LF : this.endsInLoneLf)
    if (end < 0) {
      if (input.length > limitOctets || this.#dropped > 0) this.#drop()
      return 'more'
    }
    const length = end + 1 - input.from
    const overlong = this.#dropped > 0 || length > limitOctets
    this.octets = this.#dropped + length
    if (!overlong) {
      const text = end > input.from && input.buffer[end - 1] === CR ? end - 1 : end
      this.text = input.buffer.toString('latin1', input.from, text)
    } else {
      if (this.#dropped === 0) this.#keepHead(length)
      this.#keepTail(length)
      this.tail = this.tail.replace(/\r?\n$/, '')
    }
    this.#searched = 0
    this.#dropped = 0
    input.consume(length)
    return overlong ? 'overlong' : 'line'
  }

  /** Throws away all that is here of an unfinished line; what comes next begins a new one. */
  forget(): void {
    this.#input.clear()
    this.#searched = 0
    this.#dropped = 0
    this.endsInLoneLf = false
  }

  /** The index of the LF that ends the line, or -1. */
  #findEnd(): number {
    const { buffer, from, to } = this.#input
    let at = from + this.#searched
    while (at < to) {
      const lf = buffer.indexOf(LF, at)
      if (lf < 0 || lf >= to) break
      if (this.#lfEnds || (lf > from && buffer[lf - 1] === CR)) return lf
      at = lf + 1
    }
    this.#searched = to - from
    return -1
  }

  #keepHead(octets: number): void {
    const { buffer, from } = this.#input
    this.text = buffer.toString('latin1', from, from + Math.min(octets, HEAD_OCTETS))
    this.tail = ''
  }

  #keepTail(octets: number): void {
    const { buffer, from } = this.#input
    const end = from + octets
    const last = buffer.toString('latin1', Math.max(from, end - TAIL_OCTETS), end)
    this.tail = (this.tail + last).slice(-TAIL_OCTETS)
  }

  /** Throws away what is here of an overlong line; a last CR stays, its LF may follow. */
  #drop(): void {
    const input = this.#input
    if (this.#dropped === 0) this.#keepHead(input.length)
    const keep = input.length > 0 && input.buffer[input.to - 1] === CR ? 1 : 0
    this.#keepTail(input.length - keep)
    this.#dropped += input.length - keep
    input.consume(input.length - keep)
    this.#searched = 0
  }
}
