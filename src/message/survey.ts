/**
 * The first of two walks through a message that a next hop cannot take as it is: what is to be done
 * with each entity (RFC 6152 §3, RFC 3030 §3), or why nothing can be. Called by transport/fitting.ts;
 * message/rewrite.ts does it in the second walk. It keeps two octets for each entity.
 */
import type { Entity } from './entity.ts'
import { Gauge } from './gauge.ts'
import { Utf8Check } from './utf8-check.ts'
import { type Gap, type Visitor, Walker } from './walker.ts'

/** What the next hop takes, and how the message came. */
export interface Wanted {
  /** '7bit': the hop has no 8BITMIME. '8bit': it has, and no BINARYMIME. */
  readonly most: '7bit' | '8bit'
  /** The message came as BODY=BINARYMIME: a CR or LF alone is data, also in text. */
  readonly binary: boolean
  /** Whether lines over 998 octets are to go (RFC 5321 §4.5.3.1.6). */
  readonly shortLines: boolean
}

/** What a walk came to. */
export type Survey =
  | { readonly kind: 'fits' }
  | {
      readonly kind: 'convert'
      /** What to do with each entity, by its index; see `deeds`. */
      readonly plan: Uint16Array
      /** A DKIM signature of somebody may have covered what is changed. */
      readonly signed: boolean
    }
  | { readonly kind: 'impossible'; readonly reason: string }

/** What can be done with an entity, as bits of its place in a plan. */
export const deeds = {
  quotedPrintable: 1,
  base64: 2,
  mend: 4,
  /** The line ends of text become CRLF before it is encoded. */
  canonical: 8,
  /** Content-Transfer-Encoding is to say so. */
  label7bit: 16,
  label8bit: 32,
  charsetUtf8: 64,
  charsetUnknown: 128,
  dropPreamble: 256,
  dropEpilogue: 512,
  /** A message without MIME-Version. */
  noVersion: 1024,
  /** A body in it is encoded, so that it needs one. */
  version: 2048,
  /** Fields of its header become ASCII. */
  plainHeader: 4096,
} as const

/** So much of all headers may become ASCII: each such field is held, and read, by who rewrites it. */
const BEYOND_MAX_OCTETS = 65_536

/** More entities than any message has; of one with more nothing is converted. */
const ENTITIES_MAX = 1 << 17

/** Takes the whole message, however cut; `end` says what it came to. */
export class Surveyor implements Visitor {
  readonly #wanted: Wanted
  readonly #walker: Walker
  #plan = new Uint16Array(16)
  #entities = 0
  #changes = false
  #signed = false
  #reason: string | undefined
  /** Of the field under way: its octets, and whether one is above 127. */
  #field = { octets: 0, eightBit: false, ended: true }
  /** Of all fields beyond ASCII. */
  #beyond = 0
  /** Of the leaf or gap under way. */
  #gauge = new Gauge()
  #gap: { readonly entity: Entity; readonly deed: number } | undefined
  #utf8: Utf8Check | undefined

  constructor(wanted: Wanted) {
    this.#wanted = wanted
    this.#walker = new Walker(this)
  }

  push(octets: Uint8Array): void {
    this.#walker.push(octets)
  }

  survey(): Survey {
    this.#walker.end()
    if (this.#reason !== undefined) return { kind: 'impossible', reason: this.#reason }
    if (!this.#changes) return { kind: 'fits' }
    return { kind: 'convert', plan: this.#plan.slice(0, this.#entities), signed: this.#signed }
  }

  // The walk.

  begin(index: number): void {
    this.#entities = index + 1
    if (index >= ENTITIES_MAX) this.#reason ??= 'the message has too many parts'
    else if (index >= this.#plan.length) {
      const grown = new Uint16Array(2 * this.#plan.length)
      grown.set(this.#plan)
      this.#plan = grown
    }
  }

  headerLine(octets: Uint8Array): void {
    // A NUL can go by no DATA.
    if (octets.includes(0)) this.#reason ??= 'a header holds NUL'
    if (this.#entities === 1 && isSignature(octets)) this.#signed = true
    if (this.#wanted.most === '7bit') this.#seven(octets)
  }

  /** RFC 6152 §3: what a hop without 8BITMIME is given has no octet above 127, in headers neither. */
  #seven(octets: Uint8Array): void {
    const field = this.#field
    const begins = field.ended && !isContinuation(octets)
    const eightBit = (!begins && field.eightBit) || octets.some(octet => octet > 127)
    const length = begins ? octets.length : field.octets + octets.length
    this.#field = { octets: length, eightBit, ended: endsLine(octets) }
    if (!eightBit) return
    this.#beyond += !begins && field.eightBit ? octets.length : length
    if (this.#beyond > BEYOND_MAX_OCTETS) this.#reason ??= 'too much of a header is beyond ASCII'
    this.#do(this.#entities - 1, deeds.plainHeader)
    this.#changes = true
  }

  headerEnd(entity: Entity): void {
    this.#gauge = new Gauge()
    this.#gap = undefined
    const checked = entity.type === 'text/plain' && entity.charset === undefined
    this.#utf8 = checked && entity.shape === 'leaf' ? new Utf8Check() : undefined
    if (entity.index === entity.root && !entity.mimeVersion) {
      this.#do(entity.index, deeds.noVersion)
    }
    if (entity.shape === 'multipart' || entity.shape === 'message') {
      this.#do(entity.index, this.#label(entity, this.#wanted.most === '8bit'))
    }
  }

  content(octets: Uint8Array, entity: Entity, gap: Gap): void {
    this.#gauge.push(octets)
    this.#utf8?.push(octets)
    if (gap === undefined) return
    const deed = gap === 'preamble' ? deeds.dropPreamble : deeds.dropEpilogue
    this.#gap ??= { entity, deed }
  }

  delimiter(): void {
    this.#endGap()
  }

  end(entity: Entity, delimited: boolean): void {
    if (entity.shape === 'leaf' || entity.shape === 'sealed') {
      this.#do(entity.index, this.#judge(entity, this.#gauge.end()))
    } else if (this.#endGap() && !delimited) {
      this.#reason ??= `a ${entity.type} is not divided into parts`
    }
    this.#gauge = new Gauge()
  }

  // What is to be done.

  #do(index: number, deed: number): void {
    if (index >= ENTITIES_MAX || deed === 0) return
    this.#plan[index] = (this.#plan[index] ?? 0) | deed
  }

  /** Nobody reads what stands before and behind the parts of a multipart (RFC 2046 §5.1.1). */
  #endGap(): boolean {
    const gap = this.#gap
    const gauge = this.#gauge.end()
    this.#gauge = new Gauge()
    this.#gap = undefined
    if (gap === undefined || !this.#cannotGo(gauge, this.#wanted.binary)) return false
    this.#do(gap.entity.index, gap.deed)
    this.#changes = true
    return true
  }

  #cannotGo(gauge: Gauge, bareIsData: boolean): boolean {
    if (gauge.nul || (bareIsData && gauge.bareLineEnds > 0)) return true
    return this.#wanted.most === '7bit' && gauge.eightBit > 0
  }

  #judge(entity: Entity, gauge: Gauge): number {
    const { binary, shortLines } = this.#wanted
    const { encoding, type, shape } = entity
    const text = /^(?:text|message)\//.test(type)
    // A line end that stands alone is data where it cannot be text; else DATA mends it.
    const bareIsData = encoding === 'identity' && (binary || (!text && shape === 'leaf'))
    const must = this.#cannotGo(gauge, bareIsData)
    if (!must && !(shortLines && gauge.longLine)) return this.#label(entity, gauge.eightBit > 0)
    if (shape === 'sealed' || encoding === 'foreign') {
      if (must) this.#reason ??= `a part is ${type} and must not be changed`
      return 0
    }
    this.#changes = true
    this.#needVersion(entity.root)
    if (encoding !== 'identity') return deeds.mend
    if (!text || gauge.nul || (binary && gauge.bareLineEnds > 0)) return deeds.base64
    const canonical = gauge.bareLineEnds > 0 ? deeds.canonical : 0
    // Quoted-printable stays legible, unless it is written in hexadecimal for the most part.
    const encoded = 2 * gauge.eightBit > gauge.octets ? deeds.base64 : deeds.quotedPrintable
    return encoded | canonical | this.#charset(gauge)
  }

  /** RFC 1428 §3: 8-bit text that does not say what it is written in. */
  #charset(gauge: Gauge): number {
    if (this.#utf8 === undefined || gauge.eightBit === 0) return 0
    return this.#utf8.end() ? deeds.charsetUtf8 : deeds.charsetUnknown
  }

  #needVersion(root: number): void {
    if (((this.#plan[root] ?? 0) & deeds.noVersion) !== 0) this.#do(root, deeds.version)
  }

  /** A label may say no more than the hop takes (RFC 2045 §6.2). */
  #label({ label }: Entity, eightBit: boolean): number {
    const tooMuch = label === 'binary' || (label === '8bit' && this.#wanted.most === '7bit')
    if (!tooMuch) return 0
    // With BODY=BINARYMIME the label was true; else it is left, unless something else is done.
    if (this.#wanted.binary) this.#changes = true
    return eightBit ? deeds.label8bit : deeds.label7bit
  }
}

const LF = 10

/** A line that goes on with the field of the one before (RFC 5322 §2.2.3). */
export function isContinuation(line: Uint8Array): boolean {
  return line[0] === 32 || line[0] === 9
}

/** Pieces of a long line but the last have no line end. */
export function endsLine(line: Uint8Array): boolean {
  return line.at(-1) === LF
}

/** RFC 6376 §3.5, or one of a chain (RFC 8617 §4.1). */
function isSignature(line: Uint8Array): boolean {
  const start = Buffer.from(line.subarray(0, 22)).toString('latin1')
  return /^(?:DKIM-Signature|ARC-Message-Signature)[ \t]*:/i.test(start)
}
