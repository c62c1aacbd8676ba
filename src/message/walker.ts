/**
 * Walks through a message of any size as it streams by, and says what stands where: the header of
 * each entity, the content of each leaf, the delimiter lines between them (RFC 2045, RFC 2046 §5.1.1,
 * RFC 1847). It keeps the line under way and the open multiparts, never a message; nesting is bounded,
 * and its cost is linear however the message is made and cut.
 *
 * Called by message/survey.ts and message/rewrite.ts, which see the same entities in the same order.
 * What is passed on, put together, is the message octet for octet.
 */
import { type Entity, EntityHead, type FieldName } from './entity.ts'

/** Where content stands that belongs to no part of a multipart. */
export type Gap = 'preamble' | 'epilogue' | undefined

/** Who walks along. Octets are views that are valid during the call. */
export interface Visitor {
  begin(index: number): void
  /** A line of the header, or a piece of one; with its line end. */
  headerLine(octets: Uint8Array, field: FieldName): void
  /** @param blank the line that ends the header; empty where something else did */
  headerEnd(entity: Entity, blank: Uint8Array): void
  content(octets: Uint8Array, entity: Entity, gap: Gap): void
  /** A delimiter line, with the line end before it, which is part of it. */
  delimiter(octets: Uint8Array): void
  /** @param delimited whether a multipart was ever divided; @param last the message ends here too */
  end(entity: Entity, delimited: boolean, last: boolean): void
}

/** Deeper than this nothing is looked into. */
const DEPTH_MAX = 64
/** A delimiter line with its dashes, transport-padding and line end is looked for up to here. */
const DELIMITER_MAX_OCTETS = 512
/** A line of a header is waited for up to here, and passed on in pieces beyond. */
const LINE_PIECE_OCTETS = 4096

const LF = 10
const CR = 13
const DASH = 45
const BREAK_DASHES = Buffer.from('\n--')
const NOTHING = Buffer.alloc(0)

/** An open multipart or message. */
interface Frame {
  readonly entity: Entity
  /** undefined for a message, and for a multipart that is closed. */
  boundary: string | undefined
  delimited: boolean
}

interface Delimiter {
  readonly frame: Frame
  readonly closes: boolean
  readonly next: number
}

export class Walker {
  readonly #visitor: Visitor
  readonly #frames: Frame[] = []
  /** Open multiparts by boundary. Of two with the same one only the outer is ever found. */
  readonly #boundaries = new Map<string, Frame>()
  #entities = 0
  #root = 0
  /** Octets that wait for more. */
  #rest: Buffer = NOTHING
  /** Undefined while a header is read, or between parts. */
  #leaf: Entity | undefined
  #gap: Gap
  /** The header under way. */
  #head: EntityHead | undefined
  /** At the start of a line whose line end was passed on. */
  #fresh = false

  readonly #sealing: boolean

  /** @param sealing false looks into signed and encrypted multiparts, for who changes nothing */
  constructor(visitor: Visitor, sealing = true) {
    this.#visitor = visitor
    this.#sealing = sealing
    this.#begin(true, false)
  }

  push(octets: Uint8Array): void {
    const more = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
    this.#walk(this.#rest.length === 0 ? more : Buffer.concat([this.#rest, more]), false)
  }

  end(): void {
    this.#walk(this.#rest, true)
    if (this.#head !== undefined) this.#endHeader(NOTHING)
    this.#endLeaf(true)
    this.#close(0, true)
  }

  #walk(buffer: Buffer, final: boolean): void {
    let at = 0
    while (at < buffer.length) {
      const next =
        this.#head === undefined
          ? this.#body(buffer, at, final)
          : this.#line(this.#head, buffer, at, final)
      if (next < 0) break
      at = next
    }
    // A copy: the octets are the caller's again when this returns.
    this.#rest = Buffer.from(buffer.subarray(at))
  }

  // Headers. Each step gives where the next one begins, or -1 where it needs more octets.

  #begin(message: boolean, digest: boolean): void {
    const index = this.#entities++
    if (message) this.#root = index
    this.#head = new EntityHead(index, this.#root, digest)
    this.#gap = undefined
    this.#visitor.begin(index)
  }

  #line(head: EntityHead, buffer: Buffer, at: number, final: boolean): number {
    const lf = buffer.indexOf(LF, at)
    if (lf < 0 && !final && buffer.length - at < LINE_PIECE_OCTETS) return -1
    const next = lf < 0 ? buffer.length : lf + 1
    if (!head.within) {
      const blank = lf >= 0 && (lf === at || (lf === at + 1 && buffer[at] === CR))
      if (blank) {
        this.#endHeader(buffer.subarray(at, next))
        return next
      }
      const delimiter = this.#delimiterAt(buffer, at, final)
      if (delimiter !== undefined) {
        if (delimiter === 'more') return -1
        this.#endHeader(NOTHING)
        return this.#cross(delimiter, buffer, at)
      }
      if (!head.opens(buffer, at, next)) {
        // Neither a field nor the continuation of one: the body begins without a blank line.
        this.#endHeader(NOTHING)
        return at
      }
    }
    const octets = buffer.subarray(at, next)
    head.take(octets)
    head.within = lf < 0
    this.#visitor.headerLine(octets, head.field)
    return next
  }

  /** @param blank the line that ends it; empty where something else does */
  #endHeader(blank: Uint8Array): void {
    const head = this.#head
    if (head === undefined) return
    this.#head = undefined
    const { entity, boundary } = head.entity({
      blank: blank.length > 0,
      tooDeep: this.#frames.length >= DEPTH_MAX,
      sealing: this.#sealing,
    })
    this.#visitor.headerEnd(entity, blank)
    this.#fresh = true
    if (entity.shape === 'leaf' || entity.shape === 'sealed') {
      this.#leaf = entity
      return
    }
    const frame: Frame = { entity, boundary, delimited: false }
    this.#frames.push(frame)
    this.#gap = 'preamble'
    if (boundary !== undefined && !this.#boundaries.has(boundary)) {
      this.#boundaries.set(boundary, frame)
    }
    if (entity.shape === 'message') this.#begin(true, false)
  }

  // Bodies.

  #body(buffer: Buffer, at: number, final: boolean): number {
    if (this.#boundaries.size === 0) {
      this.#content(buffer, at, buffer.length)
      return buffer.length
    }
    if (this.#fresh) {
      if (buffer.length - at < 2 && !final) return -1
      const delimiter = this.#delimiterAt(buffer, at, final)
      if (delimiter === 'more') return -1
      if (delimiter !== undefined) return this.#cross(delimiter, buffer, at)
      this.#fresh = false
    }
    for (let lf = at - 1; ; ) {
      lf = buffer.indexOf(BREAK_DASHES, lf + 1)
      if (lf < 0) break
      const delimiter = this.#delimiterAt(buffer, lf + 1, final)
      if (delimiter === undefined) continue
      // The line end before a delimiter belongs to it (RFC 2046 §5.1.1).
      const to = lf > at && buffer[lf - 1] === CR ? lf - 1 : lf
      this.#content(buffer, at, to)
      if (delimiter !== 'more') return this.#cross(delimiter, buffer, to)
      return to > at ? to : -1
    }
    const to = final ? buffer.length : withoutBreak(buffer, at)
    this.#content(buffer, at, to)
    return to > at ? to : -1
  }

  #content(buffer: Buffer, from: number, to: number): void {
    const entity = this.#leaf ?? this.#frames.at(-1)?.entity
    if (from === to || entity === undefined) return
    this.#fresh = false
    this.#visitor.content(buffer.subarray(from, to), entity, this.#leaf ? undefined : this.#gap)
  }

  /**
   * Whether a line begins with a delimiter. The whole line counts, since one boundary may begin with
   * another; blanks behind it do not.
   *
   *     dash-boundary := "--" boundary
   *     delimiter := CRLF dash-boundary           close-delimiter := delimiter "--"
   */
  #delimiterAt(buffer: Buffer, from: number, final: boolean): Delimiter | 'more' | undefined {
    if (this.#boundaries.size === 0) return undefined
    const have = buffer.length - from
    if (have < 2 && !final) return have < 1 || buffer[from] === DASH ? 'more' : undefined
    if (buffer[from] !== DASH || buffer[from + 1] !== DASH) return undefined
    const line = buffer.subarray(from, from + DELIMITER_MAX_OCTETS)
    const lf = line.indexOf(LF)
    if (lf < 0 && line.length === DELIMITER_MAX_OCTETS) return undefined
    if (lf < 0 && !final) return 'more'
    const to = lf < 0 ? line.length : lf
    const text = line.toString('latin1', 2, to).trimEnd()
    const opens = this.#boundaries.get(text)
    const closes = text.endsWith('--') ? this.#boundaries.get(text.slice(0, -2)) : undefined
    const frame = closes !== undefined && this.#outer(closes, opens) ? closes : opens
    if (frame === undefined) return undefined
    return { frame, closes: frame === closes, next: Math.min(from + to + 1, buffer.length) }
  }

  #outer(frame: Frame, other: Frame | undefined): boolean {
    return other === undefined || this.#frames.indexOf(frame) < this.#frames.indexOf(other)
  }

  /** Goes over a delimiter line: whatever was open within its multipart ends. */
  #cross({ frame, closes, next }: Delimiter, buffer: Buffer, from: number): number {
    this.#endLeaf(false)
    this.#close(this.#frames.indexOf(frame) + 1, false)
    frame.delimited = true
    this.#root = frame.entity.root
    this.#visitor.delimiter(buffer.subarray(from, next))
    if (closes) {
      this.#forget(frame)
      this.#gap = 'epilogue'
      this.#fresh = true
    } else this.#begin(false, frame.entity.type === 'multipart/digest')
    return next
  }

  #endLeaf(last: boolean): void {
    const leaf = this.#leaf
    this.#leaf = undefined
    if (leaf !== undefined) this.#visitor.end(leaf, false, last)
  }

  #close(keep: number, last: boolean): void {
    while (this.#frames.length > keep) {
      const frame = this.#frames.pop() as Frame
      this.#forget(frame)
      this.#visitor.end(frame.entity, frame.delimited, last)
    }
  }

  #forget(frame: Frame): void {
    const { boundary } = frame
    if (boundary === undefined) return
    if (this.#boundaries.get(boundary) === frame) this.#boundaries.delete(boundary)
    frame.boundary = undefined
  }
}

/** Without what may be the beginning of a delimiter, whose rest has not come: CR, LF and a dash. */
function withoutBreak(buffer: Buffer, from: number): number {
  let to = buffer.length
  if (buffer[to - 1] === DASH) {
    if (buffer[to - 2] !== LF) return to
    to -= 1
  }
  if (to > from && buffer[to - 1] === LF) to -= 1
  if (to > from && buffer[to - 1] === CR) to -= 1
  return to
}
