/** What the scripted policy (scripted.ts) tells of one of its messages, and whether a search finds it. */
import { casemap } from '../message/casemap.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { envelopeOf } from '../message/envelope.ts'
import { scanHeader } from '../message/header.ts'
import { findPart, sectionSpan, selectFields } from '../message/section.ts'
import type { Part } from '../message/structure.ts'
import { StructureScanner } from '../message/structure-scan.ts'
import { normalRanges } from './number-set.ts'
import type { SearchKey } from './search-key.ts'
import type { FetchedMessage, FetchWish, SectionAnswer, SectionWish } from './server/question.ts'
import { formatEnvelope, formatStructure } from './structure.ts'

export interface ScriptedMessage {
  readonly uid: number
  flags: string[]
  modSeq: number
  readonly date: number
  readonly octets: Buffer
}

export function fetched(
  message: ScriptedMessage,
  { sections, utf8 }: Pick<FetchWish, 'sections' | 'utf8'>,
  flagsChanged: boolean,
): FetchedMessage {
  const { uid, flags, modSeq, octets, date } = message
  return {
    uid,
    flags,
    modSeq,
    flagsChanged,
    facts: {
      internalDate: date,
      savedAt: date,
      sizeOctets: octets.length,
      emailId: `M${uid}`,
    },
    envelope: formatEnvelope(envelopeOf(scanHeader(octets)), utf8),
    body: formatStructure(structureOf(octets), false, utf8),
    bodyStructure: formatStructure(structureOf(octets), true, utf8),
    preview: octets
      .toString('utf8')
      .replace(/^.*?\r\n\r\n/s, '')
      .trim(),
    sections: sections.map(wish => sectionOf(octets, wish)),
  }
}

function sectionOf(octets: Buffer, { section, partial, as }: SectionWish): SectionAnswer {
  const { part, text, fields } = section
  const root = structureOf(octets)
  let content: Uint8Array
  if (text === 'HEADER.FIELDS' || text === 'HEADER.FIELDS.NOT') {
    const span = sectionSpan(root, part, 'HEADER')
    if (span === undefined) return { kind: 'absent' }
    const header = octets.subarray(span.from, span.to)
    content = selectFields(header, scanHeader(header).fields, fields, text === 'HEADER.FIELDS.NOT')
  } else {
    const span = sectionSpan(root, part, text)
    if (span === undefined) return { kind: 'absent' }
    content = octets.subarray(span.from, span.to)
  }
  if (as !== 'octets') {
    const found = findPart(root, part)
    const encoding = found?.kind === 'leaf' && part.length > 0 ? found.encoding : '7bit'
    if (encoding === 'base64') {
      content = Buffer.from(Buffer.from(content).toString('latin1'), 'base64')
    } else if (encoding !== '7bit') return { kind: 'unknown encoding' }
  }
  const cut = partial ? content.subarray(partial.from, partial.from + partial.count) : content
  return { kind: 'octets', sizeOctets: cut.length, content: cut }
}

function structureOf(octets: Buffer): Part {
  const scanner = new StructureScanner()
  scanner.push(octets)
  return scanner.finish()
}

export function matches(
  message: ScriptedMessage,
  key: SearchKey,
  numbers: ReadonlyMap<number, number>,
  saved: readonly number[],
): boolean {
  const again = (other: SearchKey) => matches(message, other, numbers, saved)
  switch (key.kind) {
    case 'all':
    case 'savedate supported':
      return true
    case 'flag':
      return message.flags.includes(key.flag) === key.set
    case 'not':
      return !again(key.key)
    case 'or':
      return again(key.either) || again(key.other)
    case 'and':
      return key.keys.every(again)
    case 'header': {
      const header = scanHeader(message.octets)
      const values = header.all(key.field).map(field => casemap(decodeWords(header.text(field))))
      return values.some(value => value.includes(casemap(key.text)))
    }
    case 'date':
      return key.compare === 'before' ? message.date < key.dayMs : message.date >= key.dayMs
    case 'age':
      return key.compare === 'older'
    case 'emailid':
      return key.id === `M${message.uid}`
    case 'text':
    case 'body':
      return casemap(message.octets.toString('utf8')).includes(casemap(key.text))
    case 'modseq':
      return message.modSeq >= key.from
    case 'size':
      return key.compare === 'larger'
        ? message.octets.length > key.octets
        : message.octets.length < key.octets
    case 'uid':
    case 'sequence': {
      const number = key.kind === 'uid' ? message.uid : (numbers.get(message.uid) ?? 0)
      if (key.set === '$') return saved.includes(message.uid)
      const largest = key.kind === 'uid' ? Math.max(...numbers.keys()) : numbers.size
      return normalRanges(key.set, largest).some(([from, to]) => from <= number && number <= to)
    }
    default:
      return false
  }
}
