/**
 * What a message is made of, found when it is first asked for: its header, its structure, the octets of its
 * sections. Structures are kept for the bodies asked for last, since clients ask for the structure and
 * then for the parts. Used by imap-fetch.ts and imap-search.ts.
 */
import type { SectionAnswer, SectionWish } from '../imap/server/question.ts'
import { collected, MessageOctets } from '../mailbox/octets.ts'
import { messageByUid } from '../mailbox/reader.ts'
import { type Header, scanHeader } from '../message/header.ts'
import { decodeQuotedPrintable } from '../message/quoted-printable.ts'
import { findPart, type Span, sectionSpan, selectFields } from '../message/section.ts'
import type { Part } from '../message/structure.ts'
import { StructureScanner } from '../message/structure-scan.ts'
import type { ImapAccess } from './imap.ts'

/** A header is looked for in the first octets of a message. */
const HEADER_MAX_OCTETS = 1_048_576
const HEADER_FIRST_OCTETS = 65_536
/** A part whose encoding is to be undone is held in memory: larger ones are not decoded. */
const DECODED_MAX_OCTETS = 64 * 1_048_576
const STRUCTURES_MAX = 500

const absent = { kind: 'absent' } as const

/** Structures of bodies asked for lately; their offsets are of the body alone. */
const structures = new Map<number, Part>()

export class MessageContent {
  readonly octets: MessageOctets
  #header: Header | undefined
  #headerOctets: Buffer = Buffer.alloc(0)

  constructor(octets: MessageOctets) {
    this.octets = octets
  }

  /** The message of a UID; undefined where it is gone. */
  static async of(
    { store, world }: Pick<ImapAccess, 'store' | 'world'>,
    mailboxId: number,
    uid: number,
  ): Promise<MessageContent | undefined> {
    const message = await store.read(messageByUid, { mailboxId, uid })
    if (message === undefined) return undefined
    return new MessageContent(new MessageOctets(store, world.disk, message))
  }

  /** The header of head and body together. */
  async header(): Promise<Header> {
    if (this.#header !== undefined) return this.#header
    const { sizeOctets } = this.octets
    for (let most = HEADER_FIRST_OCTETS; ; most = HEADER_MAX_OCTETS) {
      const size = Math.min(sizeOctets, most)
      this.#headerOctets = await collected(this.octets.range(0, size))
      const header = scanHeader(this.#headerOctets, { partial: size < sizeOctets })
      if (header.end !== 'cut' || most === HEADER_MAX_OCTETS) {
        this.#header = header
        return header
      }
    }
  }

  /** The structure; its offsets are of the body. */
  async structure(): Promise<Part> {
    const { bodyId } = this.octets
    const known = structures.get(bodyId)
    if (known !== undefined) return known
    const scanner = new StructureScanner()
    const body = this.octets.body()
    if (body instanceof Uint8Array) scanner.push(body)
    else for await (const piece of body) scanner.push(piece)
    const found = scanner.finish()
    if (structures.size >= STRUCTURES_MAX) {
      const [oldest] = structures.keys()
      if (oldest !== undefined) structures.delete(oldest)
    }
    structures.set(bodyId, found)
    return found
  }

  async section({ section, partial, as }: SectionWish): Promise<SectionAnswer> {
    if (as !== 'octets') return this.#binary(section.part, partial, as === 'binary size')
    const { part, text, fields } = section
    if (text === 'HEADER.FIELDS' || text === 'HEADER.FIELDS.NOT') {
      return this.#fields(part, fields, text === 'HEADER.FIELDS.NOT', partial)
    }
    const span = await this.#span(part, text)
    if (span === undefined) return absent
    const cut = partialOf(span, partial)
    const content = this.octets.range(cut.from, cut.to)
    return { kind: 'octets', sizeOctets: cut.to - cut.from, content }
  }

  /** Of head and body together. The message itself needs no structure to be found. */
  async #span(part: readonly number[], text: '' | 'HEADER' | 'TEXT' | 'MIME') {
    const { sizeOctets, headOctets } = this.octets
    if (part.length === 0) {
      if (text === '') return { from: 0, to: sizeOctets }
      if (text === 'MIME') return undefined
      const { bodyFrom } = await this.header()
      return text === 'HEADER' ? { from: 0, to: bodyFrom } : { from: bodyFrom, to: sizeOctets }
    }
    const span = sectionSpan(await this.structure(), part, text)
    if (span === undefined) return undefined
    // The top of the message begins with our head: only there do the two differ.
    return { from: span.from + headOctets, to: span.to + headOctets }
  }

  async #fields(
    part: readonly number[],
    names: readonly string[],
    not: boolean,
    partial: SectionWish['partial'],
  ): Promise<SectionAnswer> {
    let octets: Uint8Array
    let { fields } = await this.header()
    octets = this.#headerOctets
    if (part.length > 0) {
      const span = await this.#span(part, 'HEADER')
      if (span === undefined) return absent
      const to = Math.min(span.to, span.from + HEADER_MAX_OCTETS)
      octets = await collected(this.octets.range(span.from, to))
      fields = scanHeader(octets).fields
    }
    return answerOf(selectFields(octets, fields, names, not), partial)
  }

  /** BINARY (RFC 3516): a leaf without its transfer encoding. */
  async #binary(
    part: readonly number[],
    partial: SectionWish['partial'],
    sizeOnly: boolean,
  ): Promise<SectionAnswer> {
    const found = findPart(await this.structure(), part)
    if (found === undefined) return absent
    const span = await this.#span(part, '')
    if (span === undefined) return absent
    const encoding = found.kind === 'multi' || part.length === 0 ? '7bit' : found.encoding
    if (encoding === '7bit' || encoding === '8bit' || encoding === 'binary') {
      const cut = partialOf(span, partial)
      const content = this.octets.range(cut.from, cut.to)
      return { kind: 'octets', sizeOctets: cut.to - cut.from, content }
    }
    const known = encoding === 'base64' || encoding === 'quoted-printable'
    if (!known || span.to - span.from > DECODED_MAX_OCTETS) return { kind: 'unknown encoding' }
    const decoded = decodeTransfer(await collected(this.octets.range(span.from, span.to)), encoding)
    return answerOf(decoded, sizeOnly ? undefined : partial)
  }
}

/** Undoes a transfer encoding, leniently. */
export function decodeTransfer(octets: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(octets.toString('latin1'), 'base64')
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(octets) : octets
}

function partialOf({ from, to }: Span, partial: SectionWish['partial']): Span {
  if (partial === undefined) return { from, to }
  const start = Math.min(to, from + partial.from)
  return { from: start, to: Math.min(to, start + partial.count) }
}

function answerOf(content: Uint8Array, partial: SectionWish['partial']): SectionAnswer {
  const { from, to } = partialOf({ from: 0, to: content.length }, partial)
  return { kind: 'octets', sizeOctets: to - from, content: content.subarray(from, to) }
}
