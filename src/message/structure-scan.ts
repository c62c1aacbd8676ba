/**
 * Finds the structure of a message (structure.ts) in one pass over its octets as they stream by: built on
 * message/walker.ts, which finds the parts; here their fields are read and their places counted.
 * Its memory is that of the tree, which is bounded. Called by access/ for FETCH and SEARCH.
 */
import { parametersOf } from './content-type.ts'
import type { Entity } from './entity.ts'
import { type Envelope, envelopeOf } from './envelope.ts'
import { type Header, scanHeader } from './header.ts'
import { withJoinedSections } from './parameter-sections.ts'
import type { Parameter, Part } from './structure.ts'
import { type Visitor, Walker } from './walker.ts'

/** The header of a part is read up to here. */
const HEADER_MAX_OCTETS = 65_536
/** Headers of parts are read up to here in all: of a message of parts without number the first are. */
const HEADERS_MAX_OCTETS = 2_097_152
/** Parts beyond are not told: what has more is an attack, or a mistake. */
const PARTS_MAX = 5_000

const LF = 10
const CR = 13

/** A part whose end was not seen yet. */
interface Open {
  /** One of the first so many to begin: then all that it is in are, too. */
  readonly told: boolean
  readonly headerFrom: number
  readonly header: Uint8Array[]
  headerOctets: number
  entity: Entity | undefined
  bodyFrom: number
  /** Line ends before its body. */
  linesBefore: number
  readonly children: Part[]
  /** Of the message in it, where it is one. */
  envelope: Envelope | undefined
}

export class StructureScanner implements Visitor {
  readonly #walker: Walker
  readonly #open: Open[] = []
  #at = 0
  #lines = 0
  #parts = 0
  #headersOctets = 0
  #root: Part | undefined
  /** Octets of the line end behind a delimiter that nothing has followed yet. */
  #breakOctets = 0

  constructor() {
    this.#walker = new Walker(this, false)
  }

  /** Octets of the message, in order. */
  push(octets: Uint8Array): void {
    this.#walker.push(octets)
  }

  /** The structure, once all octets were pushed. */
  finish(): Part {
    this.#walker.end()
    if (this.#root === undefined) throw new Error('a walk that ended left no part')
    return this.#root
  }

  /** What the structure takes to be kept: its parts, and each 64 octets of their headers. */
  get weight(): number {
    return this.#parts + (this.#headersOctets >> 6)
  }

  // What the walker tells.

  begin(): void {
    this.#open.push({
      told: this.#parts++ < PARTS_MAX,
      headerFrom: this.#at,
      header: [],
      headerOctets: 0,
      entity: undefined,
      bodyFrom: this.#at,
      linesBefore: 0,
      children: [],
      envelope: undefined,
    })
  }

  headerLine(octets: Uint8Array): void {
    this.#count(octets)
    const part = this.#open.at(-1)
    if (part === undefined || !part.told) return
    const room = HEADERS_MAX_OCTETS - this.#headersOctets
    const most = Math.min(HEADER_MAX_OCTETS - part.headerOctets, room)
    if (most <= 0) return
    // Cut where the limit is, not where a piece ends: what is found must not hang on the pieces.
    const kept = octets.subarray(0, most)
    part.headerOctets += kept.length
    this.#headersOctets += kept.length
    // A view is only lent.
    part.header.push(Uint8Array.prototype.slice.call(kept))
  }

  headerEnd(entity: Entity, blank: Uint8Array): void {
    this.#count(blank)
    const part = this.#open.at(-1)
    if (part === undefined) return
    part.entity = entity
    part.bodyFrom = this.#at
    part.linesBefore = this.#lines
  }

  content(octets: Uint8Array): void {
    this.#count(octets)
  }

  delimiter(octets: Uint8Array): void {
    this.#count(octets)
    const { length } = octets
    if (octets[length - 1] === LF) this.#breakOctets = octets[length - 2] === CR ? 2 : 1
  }

  /** Innermost first; what the walker opens it also ends. */
  end(_entity: Entity, _delimited: boolean, last: boolean): void {
    const open = this.#open.pop()
    if (open === undefined) return
    if (!open.told) return
    const above = this.#open.at(-1)
    const fields = scanHeader(Buffer.concat(open.header))
    const part = this.#made(open, fields, last)
    if (above === undefined) this.#root = part
    else above.children.push(part)
    if (above?.entity?.shape === 'message') above.envelope = envelopeOf(fields)
  }

  #count(octets: Uint8Array): void {
    if (octets.length > 0) this.#breakOctets = 0
    this.#at += octets.length
    for (let lf = octets.indexOf(LF); lf >= 0; lf = octets.indexOf(LF, lf + 1)) this.#lines += 1
  }

  #made(open: Open, fields: Header, last: boolean): Part {
    const { entity, children, envelope } = open
    // The line end between two delimiters belongs to the second, which ends this part.
    const beyond = last ? 0 : this.#breakOctets
    const lines = this.#lines - open.linesBefore - (beyond > 0 ? 1 : 0)
    const [type = 'text', subtype = 'plain'] = (entity?.type ?? 'text/plain').split('/')
    const anywhere = {
      headerFrom: open.headerFrom,
      bodyFrom: open.bodyFrom,
      bodyTo: Math.max(open.bodyFrom, this.#at - beyond),
      ...extensionOf(fields),
    }
    if (entity?.shape === 'multipart' && children.length > 0) {
      const parameters = parametersIn(fields.first('content-type') ?? '')
      return { kind: 'multi', subtype, parts: children, parameters, ...anywhere }
    }
    // A multipart that nothing divides is text to whoever reads it.
    const text = type === 'multipart' || entity === undefined
    // RFC 9051 §9 media-message: only these two are told with what is in them.
    const opens = subtype === 'rfc822' || subtype === 'global'
    const [root] = opens ? children : []
    return {
      kind: 'leaf',
      type: text ? 'text' : type,
      subtype: text ? 'plain' : subtype,
      parameters: parametersOrDefault(fields, type, text),
      encoding: entity?.label === undefined || entity.label === '' ? '7bit' : entity.label,
      lines: Math.max(0, lines),
      ...given('id', fields.first('content-id')),
      ...given('description', fields.first('content-description')),
      ...given('md5', fields.first('content-md5')),
      ...(root !== undefined && envelope !== undefined ? { message: { envelope, root } } : {}),
      ...anywhere,
    }
  }
}

/** RFC 2045 §5.2: text without a type, or of one that makes no sense, is US-ASCII; a part of a digest is no text. */
function parametersOrDefault(fields: Header, type: string, plain: boolean): readonly Parameter[] {
  const value = fields.first('content-type')
  if (plain || (value === undefined && type === 'text')) return [['charset', 'us-ascii']]
  return value === undefined ? [] : parametersIn(value)
}

function parametersIn(value: string): readonly Parameter[] {
  return withJoinedSections(parametersOf(value))
}

/** The fields of BODYSTRUCTURE's extension data (RFC 2183, RFC 3282, RFC 2557). */
function extensionOf(fields: Header) {
  const value = fields.first('content-disposition')
  const type = /^[^\s;()]+/.exec(value ?? '')?.[0].toLowerCase()
  const disposition =
    value === undefined || type === undefined
      ? {}
      : { disposition: { type, parameters: parametersIn(value) } }
  const languages = (fields.first('content-language') ?? '')
    .split(',')
    .map(language => language.trim())
    .filter(language => language !== '')
  return { ...disposition, languages, ...given('location', fields.first('content-location')) }
}

function given<K extends string>(key: K, value: string | undefined) {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string }
}
