/**
 * What a client that reads no UTF-8 is given of an internationalized message (RFC 6858): its header in ASCII, wherever the
 * header is asked for by itself or with the rest. Made when it is sent, and looked for only where a header has an octet
 * beyond ASCII. Sizes are told of the message as it is stored (§3). Called by imap-fetch.ts and pop3.ts.
 */
import { isAscii } from 'node:buffer'
import type { SectionAnswer, SectionWish } from '../imap/server/question.ts'
import { collected, type MessageOctets } from '../mailbox/octets.ts'
import { downgradedHeader } from '../message/downgrade.ts'
import { scanHeader } from '../message/header.ts'
import { selectFields } from '../message/section.ts'
import type { Source } from '../wire/effect.ts'
import type { MessageContent } from './imap-content.ts'

/** A header that is longer is given as it is. */
const HEADER_MAX_OCTETS = 65_536

const WHOLE: SectionWish = { section: { part: [], text: '', fields: [] }, as: 'octets' }

/** The whole message; undefined where nothing of it is to be changed. */
export function plainMessage(content: MessageContent): Promise<Told | undefined> {
  return plainSection(content, WHOLE)
}

type Told = Extract<SectionAnswer, { readonly kind: 'octets' }>

export async function plainSection(
  content: MessageContent,
  { section: { part, text, fields }, partial, as }: SectionWish,
): Promise<Told | undefined> {
  const whole = part.length === 0 && text === ''
  if (as !== 'octets' || text === 'TEXT' || (text === '' && !whole)) return undefined
  if (part.length === 0 && (isPlainAtOnce(content.octets) || !(await content.hasShortHeader()))) {
    return undefined
  }
  const wanted = { part, text: text === 'MIME' ? text : ('HEADER' as const), fields: [] }
  const header = async () => {
    const found = await content.section({ section: wanted, as: 'octets' })
    if (found.kind !== 'octets' || found.sizeOctets > HEADER_MAX_OCTETS) return undefined
    return collected(found.content)
  }
  const original = await header()
  const plain = original && downgradedHeader(original)
  if (original === undefined || plain === undefined) return undefined
  const selected = (octets: Buffer) =>
    text === 'HEADER.FIELDS' || text === 'HEADER.FIELDS.NOT'
      ? selectFields(octets, scanHeader(octets).fields, fields, text === 'HEADER.FIELDS.NOT')
      : octets
  const { sizeOctets } = content.octets
  const headerSize = selected(plain).length
  const size = headerSize + (whole ? sizeOctets - original.length : 0)
  const from = Math.min(partial?.from ?? 0, size)
  const to = Math.min(size, from + (partial?.count ?? size))
  // It is made again when it is sent: an answer may have a thousand of them.
  async function* made(): AsyncGenerator<Uint8Array, void, void> {
    const again = await header()
    const head = selected((again && downgradedHeader(again)) ?? Buffer.alloc(0))
    if (from < headerSize) yield head.subarray(from, Math.min(to, headerSize))
    const behind = original?.length ?? 0
    const rest = [Math.max(0, from - headerSize), to - headerSize] as const
    if (rest[1] > rest[0]) yield* pieces(content.octets.range(behind + rest[0], behind + rest[1]))
  }
  return { kind: 'octets', sizeOctets: to - from, content: made() }
}

async function* pieces(source: Source): AsyncGenerator<Uint8Array, void, void> {
  if (source instanceof Uint8Array) yield source
  else yield* source
}

/** Whether a header is seen at a glance to be ASCII: most messages are in memory, and have a short header. */
export function isPlainAtOnce(octets: MessageOctets): boolean {
  const body = octets.body()
  const head = octets.range(0, octets.headOctets)
  if (!(body instanceof Uint8Array) || !(head instanceof Uint8Array) || !isAscii(head)) return false
  const { buffer, byteOffset, length } = body
  const end = Buffer.from(buffer, byteOffset, length).indexOf('\r\n\r\n')
  return end < 0 ? isAscii(body) : isAscii(body.subarray(0, end))
}
