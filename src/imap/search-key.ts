/**
 * The criteria of SEARCH, SORT and THREAD (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 5032 WITHIN, RFC 7162
 * MODSEQ, RFC 8474 OBJECTID, RFC 8514 SAVEDATE) as a tree. What it matches is decided elsewhere.
 */
import type { Cursor } from './cursor.ts'
import { readDate } from './date-time.ts'
import { type NumberSet, readNumberSet } from './number-set.ts'

export type SearchKey =
  | { readonly kind: 'all' }
  /** A system flag or keyword is there, or is not. */
  | { readonly kind: 'flag'; readonly flag: string; readonly set: boolean }
  /** Of RFC 3501 alone: what the session was the first to be told of, put in by `withRecent`; else no message. */
  | { readonly kind: 'recent' }
  /** A field holds the text; empty text asks whether the field is there. */
  | { readonly kind: 'header'; readonly field: string; readonly text: string }
  /** Anywhere in the decoded body, or in header and body. */
  | { readonly kind: 'body' | 'text'; readonly text: string }
  /** By day: of arrival, of the Date field, of saving. `dayMs` is the first ms of the day in UTC. */
  | {
      readonly kind: 'date'
      readonly of: 'internal' | 'sent' | 'saved'
      readonly compare: 'before' | 'on' | 'since'
      readonly dayMs: number
    }
  /** RFC 5032: arrived within, or before, the last seconds. */
  | { readonly kind: 'age'; readonly compare: 'older' | 'younger'; readonly seconds: number }
  | { readonly kind: 'size'; readonly compare: 'larger' | 'smaller'; readonly octets: number }
  | { readonly kind: 'sequence' | 'uid'; readonly set: NumberSet }
  /** RFC 7162 §3.1.5: changed at this mod-sequence or later. */
  | { readonly kind: 'modseq'; readonly from: number }
  | { readonly kind: 'emailid' | 'threadid'; readonly id: string }
  | { readonly kind: 'savedate supported' }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'or'; readonly either: SearchKey; readonly other: SearchKey }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }

/** Parentheses, NOT and OR nest no deeper, and a command has no more keys: bounds of ours. */
const DEPTH_MAX = 50
const KEYS_MAX = 1000

/** Turns the octets of a search string into text; undefined where they are not of that charset. */
export type DecodeText = (octets: string) => string | undefined

/** `search-key *(SP search-key)` up to the end of the command: all of them together. */
export function readSearchKeys(cursor: Cursor, decode: DecodeText): SearchKey {
  return new Reader(cursor, decode).program()
}

class Reader {
  readonly #cursor: Cursor
  readonly #decode: DecodeText
  #keys = 0

  constructor(cursor: Cursor, decode: DecodeText) {
    this.#cursor = cursor
    this.#decode = decode
  }

  program(): SearchKey {
    const keys = [this.#key(0)]
    while (this.#cursor.take(' ')) keys.push(this.#key(0))
    return and(keys)
  }

  #key(depth: number): SearchKey {
    const cursor = this.#cursor
    if (++this.#keys > KEYS_MAX || depth > DEPTH_MAX) cursor.fail('the search is too complicated')
    if (cursor.fault !== undefined) return { kind: 'all' }
    if (cursor.next === 0x28) {
      const keys = cursor.list(() => this.#key(depth + 1), KEYS_MAX)
      if (keys.length === 0) cursor.fail('a search key is wanted')
      return and(keys)
    }
    const code = cursor.next
    if ((code >= 0x30 && code <= 0x39) || code === 0x2a || code === 0x24) {
      return { kind: 'sequence', set: readNumberSet(cursor) }
    }
    const word = cursor.word()
    return this.#flag(word) ?? this.#compare(word) ?? this.#text(word) ?? this.#other(word, depth)
  }

  #flag(word: string): SearchKey | undefined {
    switch (word) {
      case 'ANSWERED':
      case 'DELETED':
      case 'DRAFT':
      case 'FLAGGED':
      case 'SEEN':
        return { kind: 'flag', flag: systemFlag(word), set: true }
      case 'UNANSWERED':
      case 'UNDELETED':
      case 'UNDRAFT':
      case 'UNFLAGGED':
      case 'UNSEEN':
        return { kind: 'flag', flag: systemFlag(word.slice(2)), set: false }
      case 'KEYWORD':
      case 'UNKEYWORD':
        this.#cursor.space()
        return { kind: 'flag', flag: this.#cursor.atom(), set: word === 'KEYWORD' }
      case 'RECENT':
        return { kind: 'recent' }
      case 'NEW':
        return and([{ kind: 'recent' }, { kind: 'flag', flag: '\\Seen', set: false }])
      case 'OLD':
        return { kind: 'not', key: { kind: 'recent' } }
      default:
        return undefined
    }
  }

  #compare(word: string): SearchKey | undefined {
    const day = /^(SENT|SAVED)?(BEFORE|ON|SINCE)$/.exec(word)
    if (day !== null) {
      this.#cursor.space()
      const of = day[1] === 'SENT' ? 'sent' : day[1] === 'SAVED' ? 'saved' : 'internal'
      const compare = day[2]?.toLowerCase() as 'before' | 'on' | 'since'
      return { kind: 'date', of, compare, dayMs: readDate(this.#cursor) }
    }
    switch (word) {
      case 'LARGER':
      case 'SMALLER': {
        this.#cursor.space()
        const compare = word === 'LARGER' ? 'larger' : 'smaller'
        return { kind: 'size', compare, octets: this.#cursor.number64() }
      }
      case 'OLDER':
      case 'YOUNGER': {
        this.#cursor.space()
        const compare = word === 'OLDER' ? 'older' : 'younger'
        return { kind: 'age', compare, seconds: this.#cursor.positive() }
      }
      default:
        return undefined
    }
  }

  #text(word: string): SearchKey | undefined {
    switch (word) {
      case 'BCC':
      case 'CC':
      case 'FROM':
      case 'SUBJECT':
      case 'TO':
        return { kind: 'header', field: word.toLowerCase(), text: this.#string() }
      case 'HEADER': {
        this.#cursor.space()
        const field = this.#cursor.astring().toLowerCase()
        return { kind: 'header', field, text: this.#string() }
      }
      case 'BODY':
        return { kind: 'body', text: this.#string() }
      case 'TEXT':
        return { kind: 'text', text: this.#string() }
      default:
        return undefined
    }
  }

  #other(word: string, depth: number): SearchKey {
    const cursor = this.#cursor
    switch (word) {
      case 'ALL':
        return { kind: 'all' }
      case 'NOT':
        cursor.space()
        return { kind: 'not', key: this.#key(depth + 1) }
      case 'OR': {
        cursor.space()
        const either = this.#key(depth + 1)
        cursor.space()
        // `OR a OR b OR c ...` is how many are said at once: it is long, not deep.
        return { kind: 'or', either, other: this.#key(depth) }
      }
      case 'UID':
        cursor.space()
        return { kind: 'uid', set: readNumberSet(cursor) }
      // RFC 9738 §3.2.
      case 'UIDAFTER':
        cursor.space()
        return { kind: 'uid', set: [{ from: cursor.positive() + 1, to: 0x1_0000_0000 }] }
      case 'UIDBEFORE': {
        cursor.space()
        const before = cursor.positive()
        const set = [{ from: 1, to: before - 1 }]
        return before === 1 ? { kind: 'not', key: { kind: 'all' } } : { kind: 'uid', set }
      }
      case 'MODSEQ':
        return this.#modSeq()
      case 'EMAILID':
      case 'THREADID':
        cursor.space()
        return { kind: word === 'EMAILID' ? 'emailid' : 'threadid', id: cursor.astring() }
      case 'SAVEDATESUPPORTED':
        return { kind: 'savedate supported' }
      default:
        cursor.fail(`SEARCH knows no key ${word.slice(0, 40)}`)
        return { kind: 'all' }
    }
  }

  /** `"MODSEQ" [search-modseq-ext] SP mod-sequence-valzer` (RFC 7162 §3.1.5): our flags have one for all. */
  #modSeq(): SearchKey {
    const cursor = this.#cursor
    cursor.space()
    if (cursor.next === 0x22) {
      cursor.string()
      cursor.space()
      const type = cursor.word()
      if (type !== 'PRIV' && type !== 'SHARED' && type !== 'ALL') cursor.fail('no such entry type')
      cursor.space()
    }
    return { kind: 'modseq', from: cursor.number64() }
  }

  #string(): string {
    this.#cursor.space()
    const text = this.#decode(this.#cursor.astring())
    if (text === undefined) this.#cursor.fail('the text is not of that charset')
    return text ?? ''
  }
}

function and(keys: readonly SearchKey[]): SearchKey {
  const [only] = keys
  return keys.length === 1 && only !== undefined ? only : { kind: 'and', keys }
}

/** `SEEN` as `\Seen`. */
function systemFlag(word: string): string {
  return `\\${word.charAt(0)}${word.slice(1).toLowerCase()}`
}

/** The same search, where these UIDs are recent. */
export function withRecent(key: SearchKey, recent: NumberSet): SearchKey {
  switch (key.kind) {
    case 'recent':
      return recent.length === 0 ? key : { kind: 'uid', set: recent }
    case 'and':
      return { kind: 'and', keys: key.keys.map(each => withRecent(each, recent)) }
    case 'or':
      return {
        kind: 'or',
        either: withRecent(key.either, recent),
        other: withRecent(key.other, recent),
      }
    case 'not':
      return { kind: 'not', key: withRecent(key.key, recent) }
    default:
      return key
  }
}

/** Whether a key of the tree is of that kind. */
export function holds(key: SearchKey, of: (key: SearchKey) => boolean): boolean {
  switch (key.kind) {
    case 'and':
      return key.keys.some(each => holds(each, of))
    case 'or':
      return holds(key.either, of) || holds(key.other, of)
    case 'not':
      return holds(key.key, of)
    default:
      return of(key)
  }
}
