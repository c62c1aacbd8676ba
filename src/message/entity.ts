/**
 * One entity of a message: what its header says of its body (RFC 2045 §5, §6; RFC 2046 §5.1.5, §5.2).
 * Read line by line by message/walker.ts; of each header only the two fields that matter are kept.
 */
import { type Encoding, parseContentType, parseEncoding } from './content-type.ts'
import { colonOf } from './header.ts'

/** Fields that say how an entity is made; any other is 'other'. */
export type FieldName = 'content-type' | 'content-transfer-encoding' | 'mime-version' | 'other'

/**
 * 'multipart' and 'message' hold further entities. 'sealed' is not to be touched, whatever it is
 * made of: signed or encrypted (RFC 1847 §2), partial or external (RFC 2046 §5.2), or not understood.
 */
export type Shape = 'multipart' | 'message' | 'leaf' | 'sealed'

export interface Entity {
  /** Its place in the order in which entities begin. */
  readonly index: number
  /** The entity with the header of the message it is in; its own index for a message itself. */
  readonly root: number
  readonly shape: Shape
  /** In lower case; what holds where none is said included. */
  readonly type: string
  /** undefined where the field says none, and could. */
  readonly charset: string | undefined
  readonly encoding: Encoding
  /** The token of Content-Transfer-Encoding; undefined where there is none. */
  readonly label: string | undefined
  /** The Content-Type field as it stands, line ends and all; undefined where there is none. */
  readonly typeField: string | undefined
  readonly mimeVersion: boolean
}

/** RFC 2046 §5.1.1 says 70; some write more. */
const BOUNDARY_MAX_OCTETS = 256
/** What is kept of a field that matters. */
const FIELD_MAX_CHARS = 16_384

const SPACE = 32
const TAB = 9

/** The header of an entity while it is read. */
export class EntityHead {
  readonly index: number
  readonly root: number
  /** The field that the last line belongs to. */
  field: FieldName = 'other'
  /** Within a line whose end has not come. */
  within = false
  readonly #digest: boolean
  #lines = 0
  #mimeVersion = false
  /** The field whose lines are kept at present. */
  #keeps: 'type' | 'encoding' | undefined
  #type: string | undefined
  #encoding: string | undefined

  constructor(index: number, root: number, digest: boolean) {
    this.index = index
    this.root = root
    this.#digest = digest
  }

  /** Whether the line [from, to) belongs to a header; if so, `field` says to which field of it. */
  opens(octets: Buffer, from: number, to: number): boolean {
    const first = octets[from]
    if (first === SPACE || first === TAB) return this.#lines > 0
    const colon = colonOf(octets, from, to)
    if (colon < 0) {
      // The separator of an mbox, at the very top of a message.
      const mbox = this.#lines === 0 && this.index === this.root
      return mbox && /^>?From /.test(octets.toString('latin1', from, from + 6))
    }
    this.field = fieldOf(octets, from, colon)
    this.#keeps = undefined
    if (this.field === 'mime-version') this.#mimeVersion = true
    // Of two fields with one name the first counts.
    if (this.field === 'content-type' && this.#type === undefined) {
      this.#keeps = 'type'
      this.#type = ''
    } else if (this.field === 'content-transfer-encoding' && this.#encoding === undefined) {
      this.#keeps = 'encoding'
      this.#encoding = ''
    }
    return true
  }

  /** Takes a line, or a piece of one. */
  take(octets: Buffer): void {
    this.#lines += 1
    if (this.#keeps === 'type') this.#type = kept(this.#type, octets)
    if (this.#keeps === 'encoding') this.#encoding = kept(this.#encoding, octets)
  }

  /** What the header comes to. One that no blank line ends cannot be followed by another. */
  entity({
    blank,
    tooDeep,
    sealing,
  }: {
    readonly blank: boolean
    readonly tooDeep: boolean
    /** False looks into what must not be changed, too. */
    readonly sealing: boolean
  }): {
    readonly entity: Entity
    readonly boundary: string | undefined
  } {
    const { index, root } = this
    const read = parseContentType(unfolded(this.#type))
    const type = read.type === '' ? (this.#digest ? 'message/rfc822' : 'text/plain') : read.type
    const none = this.#encoding === undefined
    const { label, encoding } = parseEncoding(unfolded(this.#encoding))
    const boundary = usable(read.boundary)
    const whole = (this.#type?.length ?? 0) < FIELD_MAX_CHARS
    // Of a field that makes no sense, nothing is known; it is not added to.
    const unknown = this.#type !== undefined && (read.type === '' || !whole)
    const made = shapeOf(type, encoding, { divisible: boundary !== undefined, sealing })
    const shape = tooDeep || (made === 'message' && !blank) ? 'sealed' : made
    const entity: Entity = {
      index,
      root,
      shape,
      type,
      charset: unknown ? '' : read.charset,
      encoding,
      label: none ? undefined : label,
      typeField: this.#type,
      mimeVersion: this.#mimeVersion,
    }
    return { entity, boundary: shape === 'multipart' ? boundary : undefined }
  }
}

function fieldOf(octets: Buffer, from: number, colon: number): FieldName {
  if (colon - from > 40) return 'other'
  const name = octets.toString('latin1', from, colon).trimEnd().toLowerCase()
  return name === 'content-type' || name === 'content-transfer-encoding' || name === 'mime-version'
    ? name
    : 'other'
}

function kept(text = '', octets: Buffer): string {
  const room = FIELD_MAX_CHARS - text.length
  return room <= 0 ? text : text + octets.toString('latin1', 0, room)
}

/** The value of a kept field, unfolded. */
function unfolded(field = ''): string {
  return field.slice(field.indexOf(':') + 1).replace(/[\r\n]+/g, '')
}

/** Nothing can be divided by a boundary that is empty, or that no line can hold. */
function usable(boundary: string | undefined): string | undefined {
  const trimmed = boundary?.trimEnd()
  if (trimmed === undefined || trimmed === '' || trimmed.length > BOUNDARY_MAX_OCTETS)
    return undefined
  return trimmed
}

function shapeOf(
  type: string,
  encoding: Encoding,
  { divisible, sealing }: { readonly divisible: boolean; readonly sealing: boolean },
): Shape {
  const signed = type === 'multipart/signed' || type === 'multipart/encrypted'
  if (signed && sealing) return 'sealed'
  // RFC 2045 §6.4 forbids to encode a multipart; where one says so, no reader believes it.
  if (type.startsWith('multipart/')) return divisible ? 'multipart' : 'sealed'
  if (type === 'message/partial' || type === 'message/external-body') return 'sealed'
  // Encoded messages are as illegal, but common, and then a leaf; message/global may be one by right.
  const message =
    type === 'message/rfc822' || type === 'message/news' || (type === 'message/global' && !sealing)
  return message && encoding === 'identity' ? 'message' : 'leaf'
}
