/**
 * A header with some of its fields written anew: which are left out of the message as it came, what stands before
 * what is left, and the header as it will be. Fields may be amended again, those too that stand before.
 * Called by inbound/, which may only leave octets out and put text in front (message/complete.ts). Pure.
 */
import { type Field, Header, scanHeader } from './header.ts'

export interface Amended {
  /** Fields of the message as it came. */
  readonly omitted: readonly Field[]
  /** Whole fields, each with its line end. */
  readonly front: readonly string[]
  readonly header: Header
  /** Where each field of `header` stands in the message as it came; undefined for one of `front`. */
  readonly origins: readonly (Field | undefined)[]
}

/** A header in which nothing is changed. */
export function asItCame(header: Header): Amended {
  return { omitted: [], front: [], header, origins: header.fields }
}

/** @param changes the fields of `before.header` that are replaced, each by whole fields or none */
export function amend(before: Amended, changes: ReadonlyMap<Field, readonly string[]>): Amended {
  if (changes.size === 0) return before
  const { header, origins } = before
  const omitted = [...before.omitted]
  const front = [...changes.values()].flat()
  const rest: Uint8Array[] = []
  const restOrigins: Field[] = []
  for (const [at, field] of header.fields.entries()) {
    const origin = origins[at]
    if (changes.has(field)) {
      if (origin !== undefined) omitted.push(origin)
    } else if (origin === undefined) front.push(Buffer.from(header.raw(field)).toString())
    else {
      rest.push(header.raw(field))
      restOrigins.push(origin)
    }
  }
  const octets = Buffer.concat([Buffer.from(front.join('')), ...rest, Buffer.from('\r\n')])
  const { fields, bodyFrom } = scanHeader(octets)
  // A header that was too large to be read to its end is one still.
  const amended = new Header(octets, fields, header.end, 0, bodyFrom)
  return {
    omitted,
    front,
    header: amended,
    origins: [...front.map(() => undefined), ...restOrigins],
  }
}
