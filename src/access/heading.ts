/**
 * What SEARCH, SORT and THREAD ask of a header, as a text that is kept beside the envelope (mailbox/reading.ts), so
 * that none of them opens a message twice: a line for each field of some names, its encoded-words decoded
 * where people read it, and what SORT makes of addresses.
 *
 *     heading = ("!" / " ") LF *(name ":" text LF)      "!" where not all of it is ASCII
 */
import { type SortFacts, sortFactsOf } from '../imap/sort.ts'
import { baseSubject } from '../message/base-subject.ts'
import { casemap } from '../message/casemap.ts'
import { decodeWords } from '../message/encoded-word.ts'
import type { Header } from '../message/header.ts'
import { type ThreadFacts, threadFacts } from '../message/thread.ts'
import { parseDate } from '../wire/date.ts'

const DECODED = ['subject', 'from', 'to', 'cc', 'bcc', 'reply-to', 'sender'] as const
const PLAIN = ['date', 'message-id', 'in-reply-to', 'references'] as const
const SORTED = ['FROM', 'TO', 'CC', 'DISPLAYFROM', 'DISPLAYTO'] as const

/** The fields that a heading has: all of them, as often as they are there. */
export const HEADING_FIELDS: ReadonlySet<string> = new Set([...DECODED, ...PLAIN])

/** Longer ones are looked up each time. */
const HEADING_MAX_CHARS = 16_384

/** The heading of a header; '' where it cannot be kept as it is. */
export function headingOf(header: Header): string {
  let text = ''
  for (const name of DECODED) {
    for (const field of header.all(name)) text += `${name}:${decodeWords(header.text(field))}\n`
  }
  for (const name of PLAIN) {
    for (const field of header.all(name)) {
      const value = header.text(field)
      // It would have to be kept in two forms.
      if (value.includes('=?')) return ''
      text += `${name}:${value}\n`
    }
  }
  const sorted = sortFactsOf({ uid: 0, internalDate: 0, sizeOctets: 0 }, header)
  for (const key of SORTED) if (sorted[key] !== '') text += `${key}:${sorted[key]}\n`
  if (text.length > HEADING_MAX_CHARS || text.includes('\0')) return ''
  return `${/^[\x00-\x7f]*$/.test(text) ? ' ' : '!'}\n${text}`
}

/** A heading that was kept, read again. */
export class Heading {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Of all fields of a name, decoded. The name is one of HEADING_FIELDS, in lower case. */
  all(name: string): string[] {
    const values: string[] = []
    for (let from = this.#find(name, 0); from > 0; from = this.#find(name, from)) {
      values.push(this.#lineAt(from))
    }
    return values
  }

  first(name: string): string | undefined {
    const from = this.#find(name, 0)
    return from > 0 ? this.#lineAt(from) : undefined
  }

  /** Where the next value of that name begins; 0 where there is none. */
  #find(name: string, behind: number): number {
    const at = this.#text.indexOf(`\n${name}:`, behind)
    return at < 0 ? 0 : at + name.length + 2
  }

  #lineAt(from: number): string {
    return this.#text.slice(from, this.#text.indexOf('\n', from))
  }

  sortFacts(row: {
    readonly uid: number
    readonly internalDate: number
    readonly sizeOctets: number
  }): SortFacts {
    const of = (key: (typeof SORTED)[number]) => this.first(key) ?? ''
    return {
      uid: row.uid,
      ARRIVAL: row.internalDate,
      SIZE: row.sizeOctets,
      DATE: parseDate(this.first('date') ?? '') ?? row.internalDate,
      SUBJECT: casemap(baseSubject(this.first('subject') ?? '').text),
      FROM: of('FROM'),
      TO: of('TO'),
      CC: of('CC'),
      DISPLAYFROM: of('DISPLAYFROM'),
      DISPLAYTO: of('DISPLAYTO'),
    }
  }

  threadFacts(uid: number, internalDate: number): ThreadFacts {
    return threadFacts(uid, internalDate, {
      subject: this.first('subject'),
      date: this.first('date'),
      messageId: this.first('message-id'),
      inReplyTo: this.first('in-reply-to'),
      references: this.first('references'),
    })
  }
}
