/**
 * Whether a message is what a SEARCH is for (RFC 9051 §6.4.4): by its row where that tells, by its content where it
 * must be looked at; by its heading (heading.ts) where that says enough. Text is decoded and has no case; a string matches where it stands anywhere in it.
 *
 * It runs where the message is: on a reader's thread (search-reader.ts), which has no body but those in
 * their rows, and here for the others. So an answer may be neither yes nor no.
 */

import { dayStart } from '../imap/date-time.ts'
import { type NumberSet, rangesHold } from '../imap/number-set.ts'
import type { SearchKey } from '../imap/search-key.ts'
import type { FolderMessage } from '../mailbox/change.ts'
import { collected } from '../mailbox/octets.ts'
import type { Likely } from '../mailbox/reading.ts'
import { casemap } from '../message/casemap.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { type Header, scanHeader } from '../message/header.ts'
import type { LeafPart, Part } from '../message/structure.ts'
import { parseLocalDate } from '../wire/date.ts'
import { HEADING_FIELDS, type Heading } from './heading.ts'
import { decodeTransfer, type MessageContent } from './imap-content.ts'
import { PlainText } from './plain-text.ts'

/** Of one part so much is searched. */
const TEXT_MAX_OCTETS = 16 * 1_048_576
/** And of the header of a message within. */
const INNER_HEADER_MAX_OCTETS = 65_536
/** A message up to this is first looked through as it stands. */
const PLAIN_MAX_OCTETS = 262_144

/** Opens the message; undefined where it is gone, 'elsewhere' where its body is not to be had here. */
export type OpenMessage = () => Promise<MessageContent | 'elsewhere' | undefined>

/** A message that is judged: its row, and its heading where that is known. */
export interface Judged {
  readonly row: FolderMessage
  /** Its sequence number in the client's view. */
  readonly number: number
  readonly heading?: Heading | undefined
  readonly open: OpenMessage
}

/** What all messages of a search have in common. */
export interface SearchContext {
  readonly gone: () => boolean
  readonly nowMs: number
  readonly saved: ReadonlySet<number>
  readonly largestUid: number
  readonly exists: number
  /** Sets of the search that were put in order. */
  readonly sets: Map<NumberSet, (number: number) => boolean>
}

export class Candidate {
  readonly #context: SearchContext
  readonly #row: FolderMessage
  readonly #judged: Judged
  #content: Promise<MessageContent | undefined> | undefined
  #header: Header | undefined
  #plain: PlainText | undefined
  #elsewhere = false
  #flags: ReadonlySet<string> | undefined

  constructor(context: SearchContext, judged: Judged) {
    this.#context = context
    this.#judged = judged
    this.#row = judged.row
  }

  /** Whether it was opened: what costs. */
  get opened(): boolean {
    return this.#content !== undefined
  }

  /** Its header, if it was read. */
  get header(): Header | undefined {
    return this.#header
  }

  /** Whether what `matches` said is worth nothing: the body was needed, and is not to be had here. */
  get elsewhere(): boolean {
    return this.#elsewhere
  }

  /** The cheap keys of a conjunction are asked first: most messages are out before they are opened. */
  async matches(key: SearchKey): Promise<boolean> {
    if (this.#context.gone()) return false
    if (isCheap(key)) return this.#byRow(key)
    switch (key.kind) {
      case 'and': {
        for (const each of key.keys) if (isCheap(each) && !this.#byRow(each)) return false
        for (const each of key.keys) if (!isCheap(each) && !(await this.matches(each))) return false
        return true
      }
      case 'or':
        return (await this.matches(key.either)) || (await this.matches(key.other))
      case 'not':
        return !(await this.matches(key.key))
      case 'header':
        return this.#hasField(key.field.toLowerCase(), key.text)
      case 'body':
        // RFC 9051 §6.4.4: the empty text is a part of every other.
        if (key.text === '') return true
        return !(await this.#lacks(casemap(key.text))) && this.#body(key.text)
      case 'text':
        return key.text === '' || this.#text(key.text)
      case 'date':
        return this.#sent(key)
      default:
        return this.#byRow(key)
    }
  }

  /** What the row tells: without a promise for each of a thousand keys and each message. */
  #byRow(key: SearchKey): boolean {
    const { uid, savedAt, sizeOctets, internalDate, modSeq, messageId } = this.#row
    const { nowMs, largestUid, exists } = this.#context
    switch (key.kind) {
      case 'and':
        return key.keys.every(each => this.#byRow(each))
      case 'or':
        return this.#byRow(key.either) || this.#byRow(key.other)
      case 'not':
        return !this.#byRow(key.key)
      case 'date':
        return compareDay(key.of === 'saved' ? savedAt : internalDate, key)
      case 'all':
      case 'savedate supported':
        return true
      case 'flag':
        return this.#flagged(key.flag.toLowerCase()) === key.set
      case 'size':
        return key.compare === 'larger' ? sizeOctets > key.octets : sizeOctets < key.octets
      case 'age': {
        const young = internalDate >= nowMs - key.seconds * 1000
        return key.compare === 'younger' ? young : !young
      }
      case 'uid':
        return this.#in(key.set, uid, largestUid)
      case 'sequence':
        return this.#in(key.set, this.#judged.number, exists)
      case 'modseq':
        return modSeq >= key.from
      case 'emailid':
        return key.id === `M${messageId}`
      default:
        return false
    }
  }

  #flagged(flag: string): boolean {
    this.#flags ??= new Set(this.#row.flags.toLowerCase().split(' '))
    return this.#flags.has(flag)
  }

  /** A set is put in order once: it may have thousands of ranges, and is asked of every message. */
  #in(set: NumberSet, number: number, largest: number): boolean {
    if (set === '$') return this.#context.saved.has(this.#row.uid)
    const { sets } = this.#context
    const holds = sets.get(set) ?? rangesHold(set, largest)
    sets.set(set, holds)
    return holds(number)
  }

  #opened(): Promise<MessageContent | undefined> {
    this.#content ??= this.#judged.open().then(opened => {
      if (opened !== 'elsewhere') return opened
      this.#elsewhere = true
      return undefined
    })
    return this.#content
  }

  /** Whether the text is surely nowhere in the message: most have not one octet of it, decoded or not. */
  async #lacks(wanted: string): Promise<boolean> {
    const octets = (await this.#opened())?.octets
    if (octets === undefined || octets.sizeOctets > PLAIN_MAX_OCTETS) return false
    if (this.#plain === undefined) {
      const whole = octets.range(0, octets.sizeOctets)
      if (!(whole instanceof Uint8Array)) return false
      this.#plain = new PlainText(whole)
    }
    return this.#plain.lacks(wanted.toLowerCase())
  }

  async #readHeader(): Promise<Header | undefined> {
    this.#header ??= await (await this.#opened())?.header()
    return this.#header
  }

  async #hasField(field: string, text: string): Promise<boolean> {
    const wanted = casemap(text)
    const has = (value: string) => wanted === '' || casemap(value).includes(wanted)
    const { heading } = this.#judged
    if (heading !== undefined && HEADING_FIELDS.has(field)) return heading.all(field).some(has)
    // What a heading will hold is read even where the text is nowhere: the next search opens nothing.
    const kept = HEADING_FIELDS.has(field)
    if (!kept && wanted !== '' && (await this.#lacks(wanted))) return false
    const header = await this.#readHeader()
    return header?.all(field).some(each => has(decodeWords(header.text(each)))) ?? false
  }

  async #text(text: string): Promise<boolean> {
    if (await this.#lacks(casemap(text))) return false
    if (await this.#anyHeader(text)) return true
    return (await this.#anyPartHeader(text)) || (await this.#body(text))
  }

  /** RFC 9051 §6.4.4: TEXT looks at MIME headers too, where the names of files stand. */
  async #anyPartHeader(text: string): Promise<boolean> {
    const content = await this.#opened()
    if (content === undefined) return false
    const wanted = casemap(text)
    for (const { headerFrom, bodyFrom } of headedOf(await content.structure())) {
      if (this.#context.gone()) return false
      const from = headerFrom + content.octets.headOctets
      const to = Math.min(bodyFrom + content.octets.headOctets, from + INNER_HEADER_MAX_OCTETS)
      const octets = await collected(content.octets.range(from, to))
      if (headerHolds(scanHeader(octets), wanted)) return true
    }
    return false
  }

  async #anyHeader(text: string): Promise<boolean> {
    const header = await this.#readHeader()
    return header !== undefined && headerHolds(header, casemap(text))
  }

  async #body(text: string): Promise<boolean> {
    const content = await this.#opened()
    if (content === undefined) return false
    const wanted = casemap(text)
    for (const part of searchedOf(await content.structure())) {
      if (this.#context.gone()) return false
      const most = part.message === undefined ? TEXT_MAX_OCTETS : INNER_HEADER_MAX_OCTETS
      const from = part.bodyFrom + content.octets.headOctets
      const to = Math.min(part.bodyTo + content.octets.headOctets, from + most)
      const octets = await collected(content.octets.range(from, to))
      if (part.message !== undefined) {
        if (headerHolds(scanHeader(octets, { partial: to - from === most }), wanted)) return true
        continue
      }
      const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? 'utf-8'
      if (casemap(decoded(decodeTransfer(octets, part.encoding), charset)).includes(wanted)) {
        return true
      }
    }
    return false
  }

  async #sent(key: Extract<SearchKey, { kind: 'date' }>): Promise<boolean> {
    const known = this.#judged.heading ?? (await this.#readHeader())
    // RFC 9051 §6.4.4: the day as it is written, disregarding the zone.
    const sent = parseLocalDate(known?.first('date') ?? '')
    return sent !== undefined && compareDay(sent, key)
  }
}

/** Whether headings may answer some of it. */
export function asksHeading(key: SearchKey): boolean {
  switch (key.kind) {
    case 'header':
      return HEADING_FIELDS.has(key.field.toLowerCase())
    case 'date':
      return key.of === 'sent'
    case 'not':
      return asksHeading(key.key)
    case 'or':
      return asksHeading(key.either) || asksHeading(key.other)
    case 'and':
      return key.keys.some(asksHeading)
    default:
      return false
  }
}

/** Longer ones are looked for message by message: a LIKE has a bound. */
const LIKELY_MAX_CHARS = 500

/** What every message that matches has in its heading, if there is such. */
export function likelyOf(key: SearchKey): Likely | undefined {
  if (key.kind === 'and') {
    for (const each of key.keys) {
      const likely = likelyOf(each)
      if (likely !== undefined) return likely
    }
  }
  if (key.kind !== 'header') return undefined
  const field = key.field.toLowerCase()
  const text = casemap(key.text).toLowerCase()
  const plain = /^[\x20-\x7e]+$/.test(text) && text.length <= LIKELY_MAX_CHARS
  return plain && HEADING_FIELDS.has(field) ? { field, text } : undefined
}

/** Of keys that hold others it is known once: they are asked of every message, and stand fifty deep. */
const cheap = new WeakMap<SearchKey, boolean>()

function isCheap(key: SearchKey): boolean {
  const known = cheap.get(key)
  if (known !== undefined) return known
  const found = costsNothing(key)
  if (key.kind === 'and' || key.kind === 'or' || key.kind === 'not') cheap.set(key, found)
  return found
}

function costsNothing(key: SearchKey): boolean {
  switch (key.kind) {
    case 'header':
    case 'body':
    case 'text':
      return false
    case 'date':
      return key.of !== 'sent'
    case 'not':
      return isCheap(key.key)
    case 'or':
      return isCheap(key.either) && isCheap(key.other)
    case 'and':
      return key.keys.every(isCheap)
    default:
      return true
  }
}

function compareDay(timeMs: number, { compare, dayMs }: Extract<SearchKey, { kind: 'date' }>) {
  const day = dayStart(timeMs)
  return compare === 'on' ? day === dayMs : compare === 'before' ? day < dayMs : day >= dayMs
}

/** Whether a field of the header holds the text, its name before it. */
function headerHolds(header: Header, wanted: string): boolean {
  return header.fields.some(each =>
    casemap(`${each.name}: ${decodeWords(header.text(each))}`).includes(wanted),
  )
}

/** Parts that have a header of their own: all but the message itself. */
function* headedOf(part: Part): Generator<Part> {
  const within = part.kind === 'multi' ? part.parts : part.message ? [part.message.root] : []
  for (const each of within) {
    yield each
    yield* headedOf(each)
  }
}

/** The leaves whose text is searched, and the messages within: their headers are text of this one's body. */
function* searchedOf(part: Part): Generator<LeafPart> {
  if (part.kind === 'multi') for (const each of part.parts) yield* searchedOf(each)
  else if (part.message !== undefined) {
    yield part
    yield* searchedOf(part.message.root)
  } else if (part.type === 'text') yield part
}

export function decoded(octets: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset.toLowerCase()).decode(octets)
  } catch {
    return octets.toString('latin1')
  }
}
