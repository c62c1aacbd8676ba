/**
 * What FETCH may ask of a message (RFC 9051 §6.4.5, RFC 3501 §6.4.5, RFC 3516, RFC 7162, RFC 8474,
 * RFC 8970, RFC 8514), and the section specifications of BODY[...] and BINARY[...].
 */
import type { Cursor } from './cursor.ts'

/** Which octets of a message: a part by its numbers, and what of it. */
export interface Section {
  /** `1.2`; empty is the message itself. */
  readonly part: readonly number[]
  /** '' is all of it. MIME and '' need a part or the whole; the others read an RFC 822 header. */
  readonly text: '' | 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME'
  /** Field names of HEADER.FIELDS, as they were written. */
  readonly fields: readonly string[]
}

/** <from.count> (§6.4.5): octets that are answered as <from>. */
export interface Partial {
  readonly from: number
  readonly count: number
}

export type FetchItem =
  | {
      readonly kind:
        | 'UID'
        | 'FLAGS'
        | 'INTERNALDATE'
        | 'RFC822.SIZE'
        | 'ENVELOPE'
        | 'BODY'
        | 'BODYSTRUCTURE'
        | 'MODSEQ'
        | 'EMAILID'
        | 'THREADID'
        | 'SAVEDATE'
        | 'PREVIEW'
    }
  /** BODY[...], and the RFC822 forms, which differ only in the name they are answered by. */
  | {
      readonly kind: 'SECTION'
      readonly name: 'BODY' | 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT'
      readonly section: Section
      readonly partial?: Partial
      /** False sets \Seen. */
      readonly peek: boolean
    }
  /** BINARY[...] (RFC 3516): the part, its transfer encoding undone. */
  | {
      readonly kind: 'BINARY'
      readonly part: readonly number[]
      readonly partial?: Partial
      readonly peek: boolean
    }
  | { readonly kind: 'BINARY.SIZE'; readonly part: readonly number[] }

const WHOLE: Section = { part: [], text: '', fields: [] }
/** A part number has no more levels; no message has. */
const DEPTH_MAX = 100
const ITEMS_MAX = 1000

const MACROS: Readonly<Record<string, readonly FetchItem[]>> = {
  FAST: [{ kind: 'FLAGS' }, { kind: 'INTERNALDATE' }, { kind: 'RFC822.SIZE' }],
  ALL: [{ kind: 'FLAGS' }, { kind: 'INTERNALDATE' }, { kind: 'RFC822.SIZE' }, { kind: 'ENVELOPE' }],
  FULL: [
    { kind: 'FLAGS' },
    { kind: 'INTERNALDATE' },
    { kind: 'RFC822.SIZE' },
    { kind: 'ENVELOPE' },
    { kind: 'BODY' },
  ],
}

/** ftext of RFC 5322 §3.6.8, and spaces, which no name has and no answer minds. */
const FIELD_NAME = /^[\x20-\x39\x3b-\x7e]{1,200}$/

const PLAIN = new Set([
  'UID',
  'FLAGS',
  'INTERNALDATE',
  'RFC822.SIZE',
  'ENVELOPE',
  'BODYSTRUCTURE',
  'MODSEQ',
  'EMAILID',
  'THREADID',
  'SAVEDATE',
])

/** `"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"`. */
export function readFetchItems(cursor: Cursor): readonly FetchItem[] {
  if (cursor.next !== 0x28) return one(cursor, true)
  const items = cursor.list(() => one(cursor, false), ITEMS_MAX).flat()
  if (items.length === 0) cursor.fail('FETCH wants at least one item')
  return items
}

function one(cursor: Cursor, macro: boolean): readonly FetchItem[] {
  // `[` belongs to atoms, so it ends the name by hand.
  const name = readName(cursor)
  const alone = macro ? MACROS[name] : undefined
  if (alone !== undefined) return alone
  if (PLAIN.has(name)) return [{ kind: name } as FetchItem]
  switch (name) {
    case 'BODY':
    case 'BODY.PEEK':
      if (cursor.take('[')) return [section(cursor, name === 'BODY.PEEK')]
      if (name === 'BODY.PEEK') break
      return [{ kind: 'BODY' }]
    case 'RFC822':
      return [{ kind: 'SECTION', name, section: WHOLE, peek: false }]
    case 'RFC822.HEADER':
      // RFC 3501 §6.4.5: the only one of them that does not set \Seen.
      return [{ kind: 'SECTION', name, section: { ...WHOLE, text: 'HEADER' }, peek: true }]
    case 'RFC822.TEXT':
      return [{ kind: 'SECTION', name, section: { ...WHOLE, text: 'TEXT' }, peek: false }]
    case 'BINARY':
    case 'BINARY.PEEK':
      return [binary(cursor, name === 'BINARY.PEEK')]
    case 'BINARY.SIZE': {
      cursor.expect('[')
      const part = readPart(cursor)
      cursor.expect(']')
      return [{ kind: 'BINARY.SIZE', part }]
    }
    case 'PREVIEW':
      // RFC 8970 §3.1: the one modifier there is.
      if (cursor.take(' (')) {
        cursor.expect('LAZY')
        cursor.expect(')')
      }
      return [{ kind: 'PREVIEW' }]
    default:
      break
  }
  cursor.fail(`FETCH knows no item ${name.slice(0, 40)}`)
  return []
}

function readName(cursor: Cursor): string {
  let name = ''
  while (cursor.next > 0x20 && cursor.next !== 0x5b && cursor.next !== 0x29 && name.length < 40) {
    const character = String.fromCharCode(cursor.next)
    if (!cursor.take(character)) break
    name += character
  }
  if (name === '') cursor.fail('an item of FETCH is wanted')
  return name.toUpperCase()
}

function section(cursor: Cursor, peek: boolean): FetchItem {
  const read = readSection(cursor)
  cursor.expect(']')
  const partial = readPartial(cursor)
  return { kind: 'SECTION', name: 'BODY', section: read, peek, ...(partial ? { partial } : {}) }
}

function binary(cursor: Cursor, peek: boolean): FetchItem {
  cursor.expect('[')
  const part = readPart(cursor)
  cursor.expect(']')
  const partial = readPartial(cursor)
  return { kind: 'BINARY', part, peek, ...(partial ? { partial } : {}) }
}

/**
 *     section-spec = section-msgtext / (section-part ["." section-text])
 *     section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
 *     section-text = section-msgtext / "MIME"
 */
export function readSection(cursor: Cursor): Section {
  const part: number[] = []
  let dotted = false
  while (isDigit(cursor.next) && part.length <= DEPTH_MAX) {
    part.push(cursor.positive())
    dotted = cursor.take('.')
    if (!dotted) break
  }
  if (part.length > DEPTH_MAX) cursor.fail('the part number has too many levels')
  if (part.length > 0 && !dotted) return { part, text: '', fields: [] }
  if (part.length === 0 && cursor.next === 0x5d) return WHOLE
  if (cursor.take('HEADER.FIELDS.NOT ')) {
    return { part, text: 'HEADER.FIELDS.NOT', fields: readHeaderList(cursor) }
  }
  if (cursor.take('HEADER.FIELDS ')) {
    return { part, text: 'HEADER.FIELDS', fields: readHeaderList(cursor) }
  }
  if (cursor.take('HEADER')) return { part, text: 'HEADER', fields: [] }
  if (cursor.take('TEXT')) return { part, text: 'TEXT', fields: [] }
  if (part.length > 0 && cursor.take('MIME')) return { part, text: 'MIME', fields: [] }
  cursor.fail('the section is not well formed')
  return WHOLE
}

/** header-list = "(" header-fld-name *(SP header-fld-name) ")"; names are astrings. */
function readHeaderList(cursor: Cursor): string[] {
  const names = cursor.list(() => cursor.astring(), ITEMS_MAX)
  if (names.length === 0) cursor.fail('at least one field name is wanted')
  // The answer repeats the names, so nothing that could end a line of it is one.
  if (names.some(name => !FIELD_NAME.test(name))) cursor.fail('a field name is not well formed')
  return names
}

/** section-binary = "[" [section-part] "]", its inside. */
function readPart(cursor: Cursor): number[] {
  const part: number[] = []
  if (cursor.next === 0x5d) return part
  do part.push(cursor.positive())
  while (cursor.take('.') && part.length <= DEPTH_MAX)
  return part
}

/** partial = "<" number64 "." nz-number64 ">". */
function readPartial(cursor: Cursor): Partial | undefined {
  if (!cursor.take('<')) return undefined
  const from = cursor.number64()
  cursor.expect('.')
  const count = cursor.number64()
  if (count === 0) cursor.fail('a partial of no octets')
  cursor.expect('>')
  return { from, count }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** The section as the answer names it: `1.2.HEADER.FIELDS (SUBJECT)`. */
export function formatSection({ part, text, fields }: Section): string {
  const number = part.join('.')
  const of = fields.map(name => (/^[\w.+-]+$/.test(name) ? name : quoted(name))).join(' ')
  const words = text === '' ? '' : fields.length > 0 ? `${text} (${of})` : text
  return number === '' || words === '' ? number + words : `${number}.${words}`
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}
