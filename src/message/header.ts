/**
 * The header section of a message (RFC 5322 §2.2, §3.6), found and walked without copying it.
 *
 * Called for every message that is accepted, on a prefix of its content, so it is quick and takes
 * whatever comes: LF alone as a line end, white space before the colon (§4.5), 8-bit text, no
 * header at all. It bounds the fields and octets it looks at and never throws. It never decodes
 * encoded-words; message/encoded-word.ts does.
 */

/** One field, as offsets into the scanned octets. */
export interface Field {
  /** The name in lower case. */
  readonly name: string
  /** The first octet of the name. */
  readonly from: number
  /** The first octet behind the colon. */
  readonly valueFrom: number
  /** Behind the last octet of the value: its last line end is not in it. */
  readonly to: number
  /** Behind the last line end: where the next field or the blank line begins. */
  readonly next: number
}

/**
 * What ended the header section: a blank line; the end of a message without a body; the end of
 * the octets although more are to come; a line that is neither a field nor a continuation; or one
 * of the limits.
 */
export type HeaderEnd = 'blank line' | 'end' | 'cut' | 'junk' | 'limit'

export interface HeaderLimits {
  /** True where the octets are only a prefix of the message. */
  readonly partial?: boolean
  readonly fieldsMax?: number
  readonly sizeMaxBytes?: number
}

const FIELDS_MAX = 5000
const SIZE_MAX_BYTES = 1_048_576
/** The longest name that is still taken for one; a line of RFC 5322 §2.1.1 has no room for more. */
const NAME_MAX_OCTETS = 998

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58

/** The scanned header of a message. Holds a view of the octets, not a copy. */
export class Header {
  readonly fields: readonly Field[]
  readonly end: HeaderEnd
  /** The first octet of the body; with no blank line, the first octet that is not header. */
  readonly bodyFrom: number
  /** The first octet of the first field: behind the `From ` line of an mbox, where one stands. */
  readonly from: number
  readonly #octets: Buffer

  constructor(
    octets: Buffer,
    fields: readonly Field[],
    end: HeaderEnd,
    from: number,
    body: number,
  ) {
    this.#octets = octets
    this.fields = fields
    this.end = end
    this.from = from
    this.bodyFrom = body
  }

  /** How many fields bear the name (any case). */
  count(name: string): number {
    const wanted = name.toLowerCase()
    let count = 0
    for (const field of this.fields) if (field.name === wanted) count++
    return count
  }

  has(name: string): boolean {
    const wanted = name.toLowerCase()
    return this.fields.some(field => field.name === wanted)
  }

  /** All fields of the name, in order. */
  all(name: string): Field[] {
    const wanted = name.toLowerCase()
    return this.fields.filter(field => field.name === wanted)
  }

  /** The unfolded, trimmed text of the first field of the name. */
  first(name: string): string | undefined {
    const wanted = name.toLowerCase()
    const found = this.fields.find(field => field.name === wanted)
    return found === undefined ? undefined : this.text(found)
  }

  /**
   * The value of a field unfolded (RFC 5322 §2.2.3) and trimmed. It is read as UTF-8 (RFC 6532) or,
   * where it is none, as ISO 8859-1. It holds no CR, LF or NUL: such an octet becomes a space.
   */
  text(field: Field): string {
    return decodeText(this.#octets, field.valueFrom, field.to)
  }

  /** The octets of a whole field, line ends and all. A view. */
  raw(field: Field): Uint8Array {
    return this.#octets.subarray(field.from, field.next)
  }
}

const REPLACEMENT = '\ufffd'

function decodeText(octets: Buffer, from: number, to: number): string {
  let text = octets.toString('utf8', from, to)
  if (text.includes(REPLACEMENT)) text = octets.toString('latin1', from, to)
  if (text.includes('\n')) text = text.replace(/\r?\n/g, '')
  return text.replace(/[\r\0]/g, ' ').trim()
}

/**
 * Where the colon of a field stands whose line begins at `from`; -1 where the line is no field.
 * ```
 * field-name = 1*ftext          ftext = %d33-57 / %d59-126
 * obs-optional = field-name *WSP ":" unstructured CRLF      (RFC 5322 §4.5.8)
 * ```
 */
export function colonOf(octets: Buffer, from: number, to: number): number {
  const stop = Math.min(to, from + NAME_MAX_OCTETS)
  let i = from
  for (; i < stop; i++) {
    const octet = octets[i] as number
    if (octet === COLON) return i > from ? i : -1
    if (octet <= SPACE || octet > 126) break
  }
  if (i === from) return -1
  for (; i < stop; i++) {
    const octet = octets[i] as number
    if (octet === COLON) return i
    if (octet !== SPACE && octet !== TAB) return -1
  }
  return -1
}

/**
 * An mbox separator at the very top is no field; some mailers submit it (`From ` or `>From `). But
 * `From :` is a field, with white space that §4.5.8 allows: nobody may hide his name in it.
 */
function skipMboxLine(octets: Buffer): number {
  const start = octets.toString('latin1', 0, 6)
  if (!start.startsWith('From ') && start !== '>From ') return 0
  const lf = octets.indexOf(LF)
  return colonOf(octets, 0, lf < 0 ? octets.length : lf) < 0 ? lf + 1 : 0
}

/** The offset of the last octet of a line's text plus one, given the offset of its LF. */
function withoutCr(octets: Buffer, from: number, lf: number): number {
  return lf > from && octets[lf - 1] === CR ? lf - 1 : lf
}

/** Scans the header section at the start of `octets`. Cost is linear in the header, not the body. */
export function scanHeader(octets: Uint8Array, limits: HeaderLimits = {}): Header {
  const sizeMax = limits.sizeMaxBytes ?? SIZE_MAX_BYTES
  const fieldsMax = limits.fieldsMax ?? FIELDS_MAX
  const size = Math.min(octets.length, sizeMax)
  const buffer =
    octets instanceof Buffer && octets.length === size
      ? octets
      : Buffer.from(octets.buffer, octets.byteOffset, size)
  const outOfOctets = octets.length > sizeMax ? 'limit' : limits.partial === true ? 'cut' : 'end'
  const start = skipMboxLine(buffer)
  const fields: Field[] = []
  let at = start
  while (at < size) {
    let lf = buffer.indexOf(LF, at)
    if (lf < 0) lf = size
    if (withoutCr(buffer, at, lf) === at && lf < size) {
      return new Header(buffer, fields, 'blank line', start, lf + 1)
    }
    const colon = colonOf(buffer, at, lf)
    if (colon < 0) {
      const whole = lf < size || outOfOctets === 'end'
      return new Header(buffer, fields, whole ? 'junk' : outOfOctets, start, at)
    }
    if (fields.length >= fieldsMax) return new Header(buffer, fields, 'limit', start, at)
    // A line that begins with white space continues the field (RFC 5322 §2.2.3).
    while (lf + 1 < size && (buffer[lf + 1] === SPACE || buffer[lf + 1] === TAB)) {
      lf = buffer.indexOf(LF, lf + 1)
      if (lf < 0) lf = size
    }
    const next = Math.min(lf + 1, size)
    fields.push({
      name: buffer.toString('latin1', at, colon).trimEnd().toLowerCase(),
      from: at,
      valueFrom: colon + 1,
      to: lf < size ? withoutCr(buffer, colon + 1, lf) : size,
      next,
    })
    at = next
  }
  return new Header(buffer, fields, outOfOctets, start, size)
}
