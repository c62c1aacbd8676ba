/**
 * Transparency (RFC 5321 §4.5.2): dots are doubled at line starts by who sends, and taken away by
 * who receives. SMTP DATA and POP3 multi-line replies use both sides. Here lives the one rule that
 * keeps messages apart: CRLF.CRLF ends, and nothing else does (smuggling: CVE-2023-51764).
 */
import { Controls } from './control.ts'
import type { Transform } from './effect.ts'

const CR = 13
const LF = 10
const DOT = 46
const CRLF = Buffer.from('\r\n')

/**
 * Stuffs content for the wire and ends it with CRLF.CRLF. The receiver must read back exactly one
 * message whatever the content is: with 'crlf' a lone CR or LF is written as CRLF, since some
 * receivers would take it for a line end (RFC 5321 §2.3.8 forbids to send either). With 'keep',
 * for a reader who wants every octet, that is done only before a dot, where it would harm.
 */
export function dotStuffing(lone: 'crlf' | 'keep' = 'crlf'): Transform {
  let last: Last = 'start'
  const controls = new Controls()
  return {
    push(octets) {
      const stuffed = stuff(octets, controls, last, lone === 'keep')
      last = stuffed.last
      return stuffed.octets
    },
    end() {
      if (last === 'start') return Buffer.from('.\r\n')
      if (last === 'lf') return Buffer.from('\n\r\n.\r\n')
      return Buffer.from(last === 'cr' && lone === 'crlf' ? '\n.\r\n' : '\r\n.\r\n')
    },
  }
}

/** Ends content that has no line end but CRLF and no line that begins with a dot: it is not looked through again. */
export function dotEnding(): Transform {
  let last: number | undefined = LF
  return {
    push(octets) {
      last = octets.at(-1) ?? last
      return octets
    },
    end: () => Buffer.from(last === LF ? '.\r\n' : '\r\n.\r\n'),
  }
}

/** What came last: lines start after CRLF and at the beginning; a lone 'lf' is withheld. */
type Last = 'start' | 'text' | 'cr' | 'lf'

function stuff(
  octets: Uint8Array,
  controls: Controls,
  before: Last,
  keep: boolean,
): { octets: Uint8Array; last: Last } {
  if (octets.length === 0) return { octets, last: before }
  const source = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
  if (keep && before === 'start' && isPlain(source)) {
    return { octets, last: source.at(-1) === LF ? 'start' : source.at(-1) === CR ? 'cr' : 'text' }
  }
  const pieces: Uint8Array[] = []
  let last = before
  let kept = 0
  let at = 0
  controls.of(source)
  if (before === 'lf') {
    const harms = source[0] === DOT
    pieces.push(harms ? CRLF : CRLF.subarray(1))
    last = harms ? 'start' : 'text'
  }
  while (at < source.length) {
    if (last === 'cr' && source[at] === LF) {
      // The CR left with the octets before.
      at += 1
      last = 'start'
      continue
    }
    if (last === 'cr' && keep && source[at] !== DOT) last = 'text'
    if (last === 'cr') {
      pieces.push(source.subarray(kept, at), CRLF.subarray(1))
      kept = at
      last = 'start'
    }
    if (last === 'start' && source[at] === DOT) {
      pieces.push(source.subarray(kept, at + 1))
      kept = at
    }
    const stop = lineEnd(controls, source, at)
    if (stop === source.length) {
      last = 'text'
      break
    }
    const octet = source[stop]
    if (octet === LF && keep && source[stop + 1] !== DOT) {
      last = 'text'
      if (stop + 1 === source.length) {
        // What follows decides how it is written.
        pieces.push(source.subarray(kept, stop))
        kept = stop + 1
        last = 'lf'
      }
    } else if (octet === LF) {
      pieces.push(source.subarray(kept, stop), CRLF)
      kept = stop + 1
      last = 'start'
    } else last = 'cr'
    at = stop + 1
  }
  if (pieces.length === 0) return { octets, last }
  pieces.push(source.subarray(kept))
  return { octets: Buffer.concat(pieces), last }
}

/** No line begins with a dot, wherever a receiver may see the end of one: most messages leave as they are. */
function isPlain(octets: Buffer): boolean {
  if (octets[0] === DOT || (octets.at(-1) === LF && octets.at(-2) !== CR)) return false
  return octets.indexOf('\n.', 0, 'latin1') < 0 && octets.indexOf('\r.', 0, 'latin1') < 0
}

/** The index of the next CR or LF; the length where there is none. */
function lineEnd(controls: Controls, octets: Buffer, from: number): number {
  const { length } = octets
  let at = controls.next(from, length)
  while (at < length && octets[at] !== CR && octets[at] !== LF) at = controls.next(at + 1, length)
  return at
}

/** RFC 5321 §4.5.3.1.6: a line of text, without its CRLF. */
const LINE_MAX_OCTETS = 998

/** Where the scanner stands: within a line, after a CR, at a line start, after its dot, after .CR */
type Place = 'text' | 'cr' | 'start' | 'dot' | 'dot-cr'

/**
 * Reads stuffed content: gives views of what it is scanning to `take`, and finds the end. Lone CR
 * and LF are counted, and with `normalize` written as CRLF; a line that a lone one began has no
 * transparent dot, so that it can neither end the content nor lose an octet.
 */
export class DotScanner {
  /** How many CR or LF stood alone. */
  bareLineEnds = 0
  /** True where a NUL was seen (RFC 2045 §2.7, §2.8: neither 7bit nor 8bit). */
  nul = false
  /** A line is too long, or begins with a dot. */
  #special = false
  /** Octets of the line under way that were passed. */
  #column = 0
  #place: Place = 'start'
  readonly #controls = new Controls()
  readonly #normalize: boolean
  readonly #take: (octets: Uint8Array, from: number, to: number) => void

  constructor(take: (octets: Uint8Array, from: number, to: number) => void, normalize: boolean) {
    this.#take = take
    this.#normalize = normalize
  }

  /**
   * Lines of at most 998 octets, of which none begins with a dot, and neither NUL nor a lone CR or LF: 7bit or 8bit data
   * (RFC 2045 §2.7, §2.8) to which nothing need be done on its way.
   */
  get plain(): boolean {
    return !this.#special && !this.nul && this.bareLineEnds === 0
  }

  /** Scans octets[from, to). Gives the index behind CRLF.CRLF, or -1 where the content goes on. */
  scan(octets: Buffer, from: number, to: number): number {
    this.#controls.of(octets)
    let kept = from
    let at = from
    while (at < to) {
      if (this.#place === 'text') {
        at = this.#pass(octets, at, to)
        if (at === to || this.#place !== 'text') continue
        // A CR or LF that is not part of CRLF, or whose LF is not here yet.
        const octet = octets[at]
        this.#emit(octets, kept, at)
        at += 1
        kept = at
        if (octet === CR && at === to) this.#place = 'cr'
        else this.#bare(octet === CR ? CR : LF)
      } else if (this.#place === 'start') {
        if (octets[at] === DOT) {
          this.#emit(octets, kept, at)
          at += 1
          kept = at
          this.#place = 'dot'
        } else this.#place = 'text'
      } else if (this.#place === 'dot') {
        if (octets[at] === CR) {
          at += 1
          kept = at
          this.#place = 'dot-cr'
        } else {
          this.#special = true
          this.#place = 'text'
        }
      } else if (octets[at] === LF) {
        at += 1
        if (this.#place === 'dot-cr') return at
        kept = at
        this.#take(CRLF, 0, 2)
        this.#column = 0
        this.#place = 'start'
      } else {
        this.#bare(CR)
        this.#place = 'text'
      }
    }
    this.#emit(octets, kept, to)
    return -1
  }

  /** Passes over whole lines: up to a line that starts with a dot, a CR or LF out of place, or the end. */
  #pass(octets: Buffer, from: number, to: number): number {
    let at = from
    let start = from - this.#column
    for (;;) {
      at = this.#controls.next(at, to)
      if (at - start > LINE_MAX_OCTETS) this.#special = true
      if (at === to) {
        this.#column = at - start
        return to
      }
      const octet = octets[at]
      if (octet === CR && at + 1 < to && octets[at + 1] === LF) {
        at += 2
        start = at
        if (at < to && octets[at] !== DOT) continue
        this.#column = 0
        this.#place = 'start'
        return at
      }
      if (octet === CR || octet === LF) {
        // Whether that ends the line is known only with the next octet, where this was the last.
        this.#column = at - start
        return at
      }
      if (octet === 0) this.nul = true
      at += 1
    }
  }

  #emit(octets: Buffer, from: number, to: number): void {
    if (from < to) this.#take(octets, from, to)
  }

  #bare(octet: number): void {
    this.bareLineEnds += 1
    if (this.#normalize) this.#take(CRLF, 0, 2)
    else this.#take(CRLF, octet === CR ? 0 : 1, octet === CR ? 1 : 2)
  }
}
