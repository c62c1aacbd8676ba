/**
 * PREVIEW (RFC 8970): the first words of what a message says, for a list of messages. Plain text where there is
 * any, else HTML without its marks; made when it is asked for, also where a client says LAZY.
 */
import { collected } from '../mailbox/octets.ts'
import type { LeafPart, Part } from '../message/structure.ts'
import { decodeTransfer, type MessageContent } from './imap-content.ts'
import { decoded } from './search-match.ts'

/** RFC 8970 §3.2: no more than 256 characters, 200 where a message has as many. */
const PREVIEW_MAX_CHARS = 200
/** So much of a part is looked at. */
const PART_MAX_OCTETS = 16_384

export async function previewOf(content: MessageContent): Promise<string> {
  const root = await content.structure()
  const part = firstText(root, 'plain') ?? firstText(root, 'html')
  if (part === undefined) return ''
  const from = part.bodyFrom + content.octets.headOctets
  const to = Math.min(part.bodyTo + content.octets.headOctets, from + PART_MAX_OCTETS)
  const octets = decodeTransfer(await collected(content.octets.range(from, to)), part.encoding)
  const charset = part.parameters.find(([name]) => name === 'charset')?.[1] ?? 'utf-8'
  const text = decoded(octets, charset)
  return shortened(part.subtype === 'html' ? withoutMarks(text) : text)
}

/** The first text of that kind that is shown: what is attached, or a message within, is not. */
function firstText(part: Part, subtype: string): LeafPart | undefined {
  if (part.kind === 'leaf') {
    const shown = part.type === 'text' && part.subtype === subtype
    return shown && part.disposition?.type !== 'attachment' ? part : undefined
  }
  for (const each of part.parts) {
    const found = firstText(each, subtype)
    if (found !== undefined) return found
  }
  return undefined
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  gt: '>',
  lt: '<',
  nbsp: ' ',
  quot: '"',
}

/** Text between the marks of HTML, what is not for reading left out. Each pattern is read once from left to right. */
export function withoutMarks(html: string): string {
  return html
    .replace(/<(style|script|head|title)\b[^<>]*>[^<]*(?:<(?!\/\1)[^<]*)*/gi, ' ')
    .replace(/<!--[^-]*(?:-(?!->)[^-]*)*/g, ' ')
    .replace(/<[^>]*>?/g, ' ')
    .replace(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&([a-z]{2,5});/g, (whole, name: string) => ENTITIES[name] ?? whole)
}

function shortened(text: string): string {
  const words = text
    .replace(/[\s\x00-\x1f\x7f]+/g, ' ')
    .replaceAll('\ufffd', '')
    .trim()
  return Array.from(words.slice(0, 4 * PREVIEW_MAX_CHARS))
    .slice(0, PREVIEW_MAX_CHARS)
    .join('')
}
