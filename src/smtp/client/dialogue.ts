/**
 * What was said on a connection, for people: kept by the client session, read where a message was
 * not taken. Bounded: the opening and the last transaction are kept, each up to a limit. Content
 * is never in it, and what AUTH says is blotted out before it comes here.
 */
import type { Reply } from '../../mail/status.ts'
import type { TlsFacts } from '../../wire/effect.ts'

/** Characters kept of the opening, and as many again of a transaction. */
const PART_MAX_CHARACTERS = 16_384
const LINE_MAX_CHARACTERS = 1_024

type Entry = string | Reply

/** What was said of one message, or of the opening. */
export interface Part {
  readonly entries: Entry[]
  characters: number
  omitted: boolean
}

function fresh(): Part {
  return { entries: [], characters: 0, omitted: false }
}

/** Something of a dialogue as it happens: a line of ours (secrets blotted out), a reply, or a note. */
export type Witnessed =
  | { readonly kind: 'said' | 'note'; readonly text: string }
  | { readonly kind: 'heard'; readonly reply: Reply }
  | { readonly kind: 'secured'; readonly tls: TlsFacts }

export class Dialogue {
  readonly #witness: ((event: Witnessed) => void) | undefined
  readonly #opening = fresh()
  /** That of the message under way; the session exchanges it where two are under way. */
  part = this.#opening

  /** @param witness is told of everything at once, also of what is not kept */
  constructor(witness?: (event: Witnessed) => void) {
    this.#witness = witness
  }

  /** A message begins: what was said of the one before is forgotten. */
  begin(): void {
    this.part = fresh()
  }

  /** One or more lines of ours, with or without a last CRLF. */
  said(text: string): void {
    this.#witness?.({ kind: 'said', text })
    this.#keep(text, text.length)
  }

  heard(reply: Reply): void {
    this.#witness?.({ kind: 'heard', reply })
    let characters = 0
    for (const line of reply.lines) characters += line.length + 4
    this.#keep(reply, characters)
  }

  /** Something that is not a line: TLS, content, the end. */
  note(text: string): void {
    this.#witness?.({ kind: 'note', text })
    this.#keep(`\0${text}`, text.length)
  }

  secured(tls: TlsFacts): void {
    this.#witness?.({ kind: 'secured', tls })
    this.note(`TLS: ${tls.protocol} ${tls.cipher}${tls.verified ? ', verified' : ''}`)
  }

  /** `C:` and `S:` lines; control characters shown as '?', so that a log cannot be forged. */
  text(): string {
    const entries = this.part === this.#opening ? [] : this.part.entries
    const lines = [...this.#opening.entries, ...entries].flatMap(shown)
    if (this.part.omitted) lines.push('* (more was said and is not kept)')
    return lines.map(clean).join('\n')
  }

  #keep(entry: Entry, characters: number): void {
    const { part } = this
    if (part.omitted) return
    if (part.characters + characters > PART_MAX_CHARACTERS) {
      part.omitted = true
      return
    }
    part.characters += characters
    part.entries.push(entry)
  }
}

function shown(entry: Entry): string[] {
  if (typeof entry !== 'string') {
    const last = entry.lines.length - 1
    const detail =
      entry.detail === undefined ? '' : `${Math.floor(entry.code / 100)}.${entry.detail} `
    return entry.lines.map((line, at) => `S: ${entry.code}${at < last ? '-' : ' '}${detail}${line}`)
  }
  if (entry.startsWith('\0')) return [`* ${entry.slice(1)}`]
  const lines = entry.endsWith('\r\n') ? entry.slice(0, -2) : entry
  return lines.split('\r\n').map(line => `C: ${line}`)
}

function clean(line: string): string {
  const short =
    line.length > LINE_MAX_CHARACTERS ? `${line.slice(0, LINE_MAX_CHARACTERS)}...` : line
  return short.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').trimEnd()
}
