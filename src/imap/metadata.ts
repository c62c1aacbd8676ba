/**
 * Annotations of mailboxes and of the server (RFC 5464): names of entries, how deep a question goes, and how
 * values are read and written. Names have no case; `/private/` is one user's own, `/shared/` everybody's.
 */
import type { Cursor } from './cursor.ts'
import { formatString } from './encode.ts'

/** A value is octets, one character each. */
export interface Annotation {
  readonly entry: string
  readonly value: string
}

/** Bounds of ours: of one value, and of what one user, or all together, may note at a mailbox. */
export const VALUE_MAX_OCTETS = 65_536
const ENTRY_MAX_CHARS = 200
const ENTRIES_MAX = 100

export interface MetadataWish {
  readonly entries: readonly string[]
  readonly depth: '0' | '1' | 'infinity'
  readonly maxOctets?: number
}

/**
 * entry = astring, slash-separated and beginning with "/private/" or "/shared/": no wildcard, nothing but
 * printable ASCII, no empty level (§3.1). Kept in lower case. With a depth one asks for what is below "/private" too.
 */
export function readEntry(cursor: Cursor, deep = false): string {
  const entry = cursor.astring().toLowerCase()
  const root = deep && (entry === '/private' || entry === '/shared')
  if (
    !root &&
    !/^\/(?:private|shared)(?:\/[\x21-\x24\x26-\x29\x2b-\x2e\x30-\x7e]+)+$/.test(entry)
  ) {
    cursor.fail('an entry begins with /private/ or /shared/ and has no empty level')
  }
  if (entry.length > ENTRY_MAX_CHARS) cursor.fail('the name of the entry is too long')
  return entry
}

/** entries = entry / "(" entry *(SP entry) ")". */
export function readEntries(cursor: Cursor, deep = false): readonly string[] {
  if (cursor.next !== 0x28) return [readEntry(cursor, deep)]
  const entries = cursor.list(() => readEntry(cursor, deep), ENTRIES_MAX)
  if (entries.length === 0) cursor.fail('an entry is wanted')
  return [...new Set(entries)]
}

/** `"(" ("MAXSIZE" SP number / "DEPTH" SP ("0" / "1" / "infinity")) ... ")"` (§4.2). */
export function readMetadataOptions(cursor: Cursor): Omit<MetadataWish, 'entries'> {
  let depth: MetadataWish['depth'] = '0'
  let maxOctets: number | undefined
  cursor.list(() => {
    const name = cursor.word()
    cursor.space()
    if (name === 'MAXSIZE') maxOctets = cursor.number()
    else if (name === 'DEPTH') {
      const wanted = cursor.word()
      if (wanted === '0' || wanted === '1') depth = wanted
      else if (wanted === 'INFINITY') depth = 'infinity'
      else cursor.fail('DEPTH is 0, 1 or infinity')
    } else cursor.fail(`GETMETADATA has no option ${name.slice(0, 40)}`)
  }, 10)
  return { depth, ...(maxOctets === undefined ? {} : { maxOctets }) }
}

/** value = nstring / literal8; undefined is NIL. */
export function readValue(cursor: Cursor): string | undefined {
  if (cursor.take('NIL')) return undefined
  return cursor.binary().text
}

/** What is told of a mailbox: an entry that was named and is not there is NIL (RFC 9590 §3). */
export function chosen(
  annotations: readonly Annotation[],
  { entries, depth, maxOctets }: MetadataWish,
): { readonly told: string; readonly longest: number } {
  const known = new Map(annotations.map(({ entry, value }) => [entry, value]))
  const names = new Set<string>(depth === '0' ? entries : [])
  for (const { entry } of annotations) {
    if (depth !== '0' && entries.some(root => within(entry, root, depth))) names.add(entry)
  }
  const pairs: string[] = []
  let longest = 0
  for (const name of names) {
    const value = known.get(name)
    if (value !== undefined && maxOctets !== undefined && value.length > maxOctets) {
      longest = Math.max(longest, value.length)
    } else pairs.push(`${formatEntry(name)} ${value === undefined ? 'NIL' : formatValue(value)}`)
  }
  return { told: pairs.join(' '), longest }
}

function within(entry: string, root: string, depth: '1' | 'infinity'): boolean {
  if (entry === root) return true
  if (!entry.startsWith(`${root}/`)) return false
  return depth === 'infinity' || !entry.slice(root.length + 1).includes('/')
}

/** entry = astring: `(` or `"` may stand in one that was quoted. */
function formatEntry(name: string): string {
  return /[(){"\\]/.test(name) ? formatString(name) : name
}

function formatValue(value: string): string {
  return value.includes('\0') ? `~{${value.length}}\r\n${value}` : formatString(value)
}
