/** What the scripted policy (scripted.ts) tells of one of its messages, and whether a search finds it. */
import { normalRanges } from './number-set.ts'
import type { SearchKey } from './search-key.ts'
import type { FetchedMessage, SectionAnswer, SectionWish } from './server/question.ts'

export interface ScriptedMessage {
  readonly uid: number
  flags: string[]
  modSeq: number
  readonly date: number
  readonly octets: Buffer
}

export function fetched(
  message: ScriptedMessage,
  sections: readonly SectionWish[],
  flagsChanged: boolean,
): FetchedMessage {
  const { uid, flags, modSeq, octets, date } = message
  return {
    uid,
    flags,
    modSeq,
    flagsChanged,
    internalDate: date,
    savedAt: date,
    sizeOctets: octets.length,
    emailId: `M${uid}`,
    sections: sections.map(wish => sectionOf(octets, wish)),
  }
}

/** Header and text only: structure is tested where it is made. */
function sectionOf(octets: Buffer, { section, partial }: SectionWish): SectionAnswer {
  const blank = octets.indexOf('\r\n\r\n')
  const bodyFrom = blank < 0 ? octets.length : blank + 4
  if (section.part.length > 1 || (section.part[0] ?? 1) !== 1) return { kind: 'absent' }
  const whole =
    section.text === 'HEADER'
      ? octets.subarray(0, bodyFrom)
      : section.text === 'TEXT' || section.part.length === 1
        ? octets.subarray(bodyFrom)
        : octets
  const content = partial ? whole.subarray(partial.from, partial.from + partial.count) : whole
  return { kind: 'octets', sizeOctets: content.length, content }
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
      return true
    case 'flag':
      return message.flags.includes(key.flag) === key.set
    case 'not':
      return !again(key.key)
    case 'or':
      return again(key.either) || again(key.other)
    case 'and':
      return key.keys.every(again)
    case 'text':
    case 'body':
      return message.octets.toString('latin1').toLowerCase().includes(key.text.toLowerCase())
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
