/**
 * What a message is made of, found when it is first asked for: its header, its structure, the octets of its
 * sections. Structures are kept for the bodies asked for last, since clients ask for the structure and
 * then for the parts. Used by imap-fetch.ts and imap-search.ts.
 */
import type { SectionAnswer, SectionWish } from '../imap/server/question.ts'
import { collected, MessageOctets } from '../mailbox/octets.ts'
import { messageByUid, messagesByUid, type StoredMessage } from '../mailbox/reader.ts'
import { finished } from '../message/gradual.ts'
import { type Header, scanHeader } from '../message/header.ts'
import { decodingBase64 } from '../message/lenient-base64.ts'
import { decodeQuotedPrintable, decodingQuotedPrintable } from '../message/quoted-printable.ts'
import { findPart, type Span, sectionSpan, selectFields } from '../message/section.ts'
import type { Part } from '../message/structure.ts'
import { StructureScanner } from '../message/structure-scan.ts'
import type { Store } from '../store/store.ts'
import { type Breath, breathOf, rested } from '../world/breath.ts'
import type { ImapAccess } from './imap.ts'
import { KnownStructures } from './known-structures.ts'

/** A header is looked for in the first octets of a message. */
const HEADER_MAX_OCTETS = 1_048_576
const HEADER_FIRST_OCTETS = 65_536
/** A part whose encoding is to be undone is held in memory: larger ones are not decoded. */
const DECODED_MAX_OCTETS = 64 * 1_048_576
/** So much of a body is looked at before others get their turn. */
const SLICE_OCTETS = 1_024
/**
 * An answer may have thousands of sections: of what was made for those of one message so much is held until
 * it is sent, and the others are made again when they are.
 */
const HELD_MAX_OCTETS = 65_536

const absent = { kind: 'absent' } as const
const nothing = Buffer.alloc(0)

/** Structures of the bodies of a store asked for lately; their offsets are of the body alone. */
const structures = new WeakMap<Store, KnownStructures>()

type Access = Pick<ImapAccess, 'store' | 'world'>

export class MessageContent {
  readonly octets: MessageOctets
  #header: Header | undefined
  #headerOctets: Buffer = nothing
  /** The part that was decoded last: clients ask for it piece by piece. */
  #decoded: { readonly span: Span; readonly octets: Buffer } | undefined
  #heldOctets = 0

  readonly #structures: KnownStructures
  readonly #breath: Breath | undefined

  /**
   * @param structures where structures are remembered
   * @param breath given where others wait meanwhile
   */
  constructor(octets: MessageOctets, structures = new KnownStructures(), breath?: Breath) {
    this.octets = octets
    this.#structures = structures
    this.#breath = breath
  }

  static ofStored(
    { store, world: { disk, clock } }: Access,
    message: StoredMessage,
  ): MessageContent {
    const known = structures.get(store) ?? new KnownStructures()
    structures.set(store, known)
    return new MessageContent(new MessageOctets(message, { store, disk }), known, breathOf(clock))
  }

  /** The message of a UID; undefined where it is gone. */
  static async of(
    access: Access,
    mailboxId: number,
    uid: number,
  ): Promise<MessageContent | undefined> {
    const message = await access.store.read(messageByUid, { mailboxId, uid })
    return message && MessageContent.ofStored(access, message)
  }

  /** Those of some messages that are there, by UID; the caller knows that they are few. */
  static async ofSome(
    access: Access,
    mailboxId: number,
    uids: readonly number[],
  ): Promise<Map<number, MessageContent>> {
    const messages = await access.store.read(messagesByUid, { mailboxId, uids })
    return new Map(messages.map(message => [message.uid, MessageContent.ofStored(access, message)]))
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

  /** Whether the header ends within 64 KB: to look for the end of a longer one takes a megabyte. */
  async hasShortHeader(): Promise<boolean> {
    if (this.#header === undefined) {
      const size = Math.min(this.octets.sizeOctets, HEADER_FIRST_OCTETS)
      const octets = await collected(this.octets.range(0, size))
      const header = scanHeader(octets, { partial: size < this.octets.sizeOctets })
      if (header.end === 'cut') return false
      this.#header = header
      this.#headerOctets = octets
    }
    return this.#header.bodyFrom <= HEADER_FIRST_OCTETS
  }

  /** The structure; its offsets are of the body. */
  async structure(): Promise<Part> {
    const { bodyId } = this.octets
    const structures = this.#structures
    const known = structures.get(bodyId)
    if (known !== undefined) return known
    const scanner = new StructureScanner()
    const body = this.octets.body()
    // A message made to be dear costs a second for each MB: nobody else is to wait for it.
    for await (const piece of body instanceof Uint8Array ? [body] : body) {
      for (let at = 0; at < piece.length; at += SLICE_OCTETS) {
        scanner.push(piece.subarray(at, at + SLICE_OCTETS))
        await this.#breath?.due()
      }
    }
    const found = scanner.finish()
    structures.set(bodyId, found, scanner.weight)
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
    return this.#straight(partialOf(span, partial))
  }

  /** As they are stored: a view where they are in memory. */
  #straight({ from, to }: Span): SectionAnswer {
    return { kind: 'octets', sizeOctets: to - from, content: this.octets.range(from, to) }
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
    if (part.length === 0) {
      const { fields } = await this.header()
      const octets = this.#headerOctets
      const selected = () => selectFields(octets, fields, names, not)
      return this.#answer(selected(), partial, selected)
    }
    const span = await this.#span(part, 'HEADER')
    if (span === undefined) return absent
    const { octets } = this
    const selected = async () => {
      const header = await collected(
        octets.range(span.from, Math.min(span.to, span.from + HEADER_MAX_OCTETS)),
      )
      return selectFields(header, scanHeader(header).fields, names, not)
    }
    return this.#answer(await selected(), partial, selected)
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
      return this.#straight(partialOf(span, partial))
    }
    const known = encoding === 'base64' || encoding === 'quoted-printable'
    if (!known || span.to - span.from > DECODED_MAX_OCTETS) return { kind: 'unknown encoding' }
    const decoded = await this.#decode(span, encoding)
    if (sizeOnly) return { kind: 'octets', sizeOctets: decoded.length, content: nothing }
    return this.#answer(decoded, partial, again(this.octets, span, encoding, this.#breath))
  }

  async #decode(span: Span, encoding: string): Promise<Buffer> {
    const known = this.#decoded
    if (known?.span.from === span.from && known.span.to === span.to) return known.octets
    const octets = await again(this.octets, span, encoding, this.#breath)()
    this.#decoded = { span, octets }
    return octets
  }

  /** Of octets that were made for this answer: a copy of the few, so that the many are not held, or made again. */
  #answer(
    made: Uint8Array,
    partial: SectionWish['partial'],
    remade: () => Uint8Array | Promise<Uint8Array>,
  ): SectionAnswer {
    const cut = partialOf({ from: 0, to: made.length }, partial)
    const sizeOctets = cut.to - cut.from
    if (this.#heldOctets + sizeOctets > HELD_MAX_OCTETS) {
      const noNul = !made.subarray(cut.from, cut.to).includes(0)
      const told = { kind: 'octets', sizeOctets, content: whenSent(remade, cut) } as const
      return noNul ? { ...told, noNul } : told
    }
    this.#heldOctets += sizeOctets
    // What is a view of much more would hold that too.
    const exact = sizeOctets === made.buffer.byteLength
    const content = exact ? made : new Uint8Array(made.subarray(cut.from, cut.to))
    return { kind: 'octets', sizeOctets, content }
  }
}

/** Decodes a span when it is called. It holds on to nothing that was decoded before. */
function again(
  octets: MessageOctets,
  span: Span,
  encoding: string,
  breath: Breath | undefined,
): () => Promise<Buffer> {
  return async () => {
    const encoded = await collected(octets.range(span.from, span.to))
    const work = encoding === 'base64' ? decodingBase64(encoded) : decodingQuotedPrintable(encoded)
    return breath === undefined ? finished(work) : rested(work, breath)
  }
}

/** Undoes a transfer encoding, leniently. */
export function decodeTransfer(octets: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return finished(decodingBase64(octets))
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(octets) : octets
}

function partialOf({ from, to }: Span, partial: SectionWish['partial']): Span {
  if (partial === undefined) return { from, to }
  const start = Math.min(to, from + partial.from)
  return { from: start, to: Math.min(to, start + partial.count) }
}

async function* whenSent(
  remade: () => Uint8Array | Promise<Uint8Array>,
  { from, to }: Span,
): AsyncGenerator<Uint8Array, void, void> {
  yield (await remade()).subarray(from, to)
}
