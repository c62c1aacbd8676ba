/**
 * What SEARCH and SORT return by RETURN (...) (RFC 4731, RFC 5267 §3, RFC 9394 §3.1), what of it is saved for `$`
 * (RFC 5182 §2.4), and how it is written: ESEARCH (RFC 9051 §7.3.4).
 */
import type { Cursor } from '../../cursor.ts'
import { formatTag } from '../../encode.ts'
import { formatNumbers } from '../../number-set.ts'
import { type PartialRange, partOf, readPartialRange } from '../../partial-range.ts'

const NAMES = ['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE', 'UPDATE', 'CONTEXT'] as const

export type Option =
  | { readonly name: (typeof NAMES)[number] }
  | { readonly name: 'PARTIAL'; readonly range: PartialRange }

/** A message that was found, by the number that is told: its UID or sequence number. */
export interface Found {
  readonly uid: number
  readonly number: number
  readonly sequence: number
  readonly modSeq: number
}

/** `"(" [search-return-opt *(SP search-return-opt)] ")"`; an empty list means ALL. */
export function readReturn(cursor: Cursor): readonly Option[] {
  const options = cursor.list((): Option => {
    const word = cursor.word()
    if (word === 'PARTIAL') {
      cursor.space()
      return { name: word, range: readPartialRange(cursor) }
    }
    const name = NAMES.find(each => each === word)
    if (name === undefined) cursor.fail(`SEARCH returns no ${word.slice(0, 40)}`)
    return { name: name ?? 'ALL' }
  }, 10)
  // RFC 9394 §3.1: all of them and some of them contradict each other.
  const named = new Set(options.map(({ name }) => name))
  if (named.has('PARTIAL') && named.has('ALL')) cursor.fail('ALL and PARTIAL exclude each other')
  const partials = options.filter(({ name }) => name === 'PARTIAL')
  if (partials.length > 1) cursor.fail('PARTIAL may stand once')
  // RFC 5267 §4: UPDATE and CONTEXT return nothing by themselves.
  const quiet = options.every(({ name }) => name === 'UPDATE' || name === 'CONTEXT')
  return quiet ? [...options, { name: 'ALL' }] : options
}

/** RFC 5182 §2.4: MIN and MAX alone save what they tell, PARTIAL its part; all else saves everything found. */
export function savedOf(found: readonly Found[], options: readonly Option[]): readonly number[] {
  return narrow(found, options)
    .map(({ uid }) => uid)
    .sort((a, b) => a - b)
}

function narrow(found: readonly Found[], options: readonly Option[]): readonly Found[] {
  const names = new Set(options.map(({ name }) => name))
  if (names.has('ALL') || names.has('COUNT')) return found
  const partial = options.find(option => option.name === 'PARTIAL')
  const ends = [
    ...(names.has('MIN') ? found.slice(0, 1) : []),
    ...(names.has('MAX') ? found.slice(-1) : []),
    ...(partial?.name === 'PARTIAL' ? partOf(found, partial.range) : []),
  ]
  const bounded = names.has('MIN') || names.has('MAX') || partial !== undefined
  return bounded ? [...new Set(ends)] : found
}

/**
 * What would be empty is left out, but for COUNT and PARTIAL.
 * @param sorted the order is part of the answer: MIN is the first, and runs are not gathered (RFC 5267 §3).
 */
export function formatExtended(
  tag: string,
  found: readonly Found[],
  options: readonly Option[],
  {
    byUid,
    modSeq,
    sorted = false,
  }: {
    readonly byUid: boolean
    readonly modSeq: boolean
    readonly sorted?: boolean
  },
): string {
  const written = (some: readonly Found[]) =>
    sorted
      ? some.map(({ number }) => number).join(',')
      : formatNumbers(some.map(each => each.number))
  const parts: string[] = []
  for (const option of options) {
    if (option.name === 'COUNT') parts.push(`COUNT ${found.length}`)
    else if (option.name === 'PARTIAL') {
      const some = partOf(found, option.range)
      parts.push(`PARTIAL (${option.range.text} ${written(some) || 'NIL'})`)
    } else if (found.length === 0) continue
    else if (option.name === 'MIN') parts.push(`MIN ${found[0]?.number}`)
    else if (option.name === 'MAX') parts.push(`MAX ${found.at(-1)?.number}`)
    else if (option.name === 'ALL') parts.push(`ALL ${written(found)}`)
  }
  if (modSeq && found.length > 0) {
    const highest = narrow(found, options).reduce((most, each) => Math.max(most, each.modSeq), 0)
    parts.push(`MODSEQ ${highest}`)
  }
  const told = parts.map(part => ` ${part}`).join('')
  return `* ESEARCH (TAG ${formatTag(tag)})${byUid ? ' UID' : ''}${told}\r\n`
}
