/**
 * Where the sections of a message lie (RFC 9051 §6.4.5 BODY[section]): which octets a part number and a
 * specifier mean. Offsets are those of the scanned content. Pure arithmetic over structure.ts.
 */
import type { Part } from './structure.ts'

/** Octets [from, to). */
export interface Span {
  readonly from: number
  readonly to: number
}

export type SectionText = '' | 'HEADER' | 'TEXT' | 'MIME'

/**
 * The octets of a section; undefined where there is no such part, or where it has no such thing (a
 * header of what is no message).
 */
export function sectionSpan(
  root: Part,
  part: readonly number[],
  text: SectionText,
): Span | undefined {
  if (part.length === 0) return spanOfMessage(root, text)
  const found = findPart(root, part)
  if (found === undefined) return undefined
  if (text === '') return { from: found.bodyFrom, to: found.bodyTo }
  if (text === 'MIME') return { from: found.headerFrom, to: found.bodyFrom }
  // HEADER and TEXT of a part are those of the message that is in it.
  if (found.kind === 'multi' || found.message === undefined) return undefined
  return spanOfMessage(found.message.root, text)
}

function spanOfMessage(root: Part, text: SectionText): Span | undefined {
  switch (text) {
    case '':
      return { from: root.headerFrom, to: root.bodyTo }
    case 'HEADER':
      return { from: root.headerFrom, to: root.bodyFrom }
    case 'TEXT':
      return { from: root.bodyFrom, to: root.bodyTo }
    case 'MIME':
      return undefined
  }
}

/**
 * The part of a number such as 2.1 (§6.4.5.1): of a multipart the nth part; a message that is not multipart
 * has one part, itself; in a message/rfc822 the numbers go on with the message in it.
 */
export function findPart(root: Part, part: readonly number[]): Part | undefined {
  let here = root
  /** True where `here` is the top of a message, whose only part is itself. */
  let top = true
  for (const number of part) {
    if (!top && here.kind === 'leaf') {
      if (here.message === undefined) return undefined
      here = here.message.root
    }
    if (here.kind === 'multi') {
      const next = here.parts[number - 1]
      if (next === undefined) return undefined
      here = next
    } else if (number !== 1) return undefined
    top = false
  }
  return here
}

/**
 * The octets of the fields that are wanted, or of all others, and the blank line (§6.4.5
 * HEADER.FIELDS). The header is given without what is not header.
 */
export function selectFields(
  header: Uint8Array,
  fields: readonly { readonly name: string; readonly from: number; readonly next: number }[],
  names: readonly string[],
  not: boolean,
): Uint8Array {
  const wanted = new Set(names.map(name => name.trim().toLowerCase()))
  const kept = fields
    .filter(field => wanted.has(field.name) !== not)
    .map(field => header.subarray(field.from, field.next))
  return Buffer.concat([...kept, Buffer.from('\r\n')])
}
