/**
 * SORT (RFC 5256 §3, RFC 5957 for DISPLAYFROM and DISPLAYTO): its criteria, what of a message they look at, and
 * the order they make. Called by server/command/sort.ts and by access/.
 */
import { baseSubject } from '../message/base-subject.ts'
import { casemap } from '../message/casemap.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { type EnvelopeAddress, envelopeOf } from '../message/envelope.ts'
import { type Gradual, sorted } from '../message/gradual.ts'
import type { Header } from '../message/header.ts'
import { parseDate } from '../wire/date.ts'
import type { Cursor } from './cursor.ts'

const KEYS = [
  'ARRIVAL',
  'CC',
  'DATE',
  'FROM',
  'SIZE',
  'SUBJECT',
  'TO',
  'DISPLAYFROM',
  'DISPLAYTO',
] as const

type SortKey = (typeof KEYS)[number]

export interface SortCriterion {
  readonly key: SortKey
  readonly reverse: boolean
}

/** More of them than there are keys say nothing new. */
const CRITERIA_MAX = 20

/** `sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"; sort-criterion = ["REVERSE" SP] sort-key`. */
export function readSortCriteria(cursor: Cursor): readonly SortCriterion[] {
  const criteria = cursor.list((): SortCriterion => {
    let word = cursor.word()
    const reverse = word === 'REVERSE'
    if (reverse) {
      cursor.space()
      word = cursor.word()
    }
    const key = KEYS.find(each => each === word)
    if (key === undefined) cursor.fail(`SORT knows no key ${word.slice(0, 40)}`)
    return { key: key ?? 'ARRIVAL', reverse }
  }, CRITERIA_MAX)
  if (criteria.length === 0) cursor.fail('SORT wants a criterion')
  return criteria
}

/** What is compared of a message; text as i;unicode-casemap has it. */
export type SortFacts = { readonly uid: number } & Readonly<Record<SortKey, string | number>>

export function sortFactsOf(
  {
    uid,
    internalDate,
    sizeOctets,
  }: {
    readonly uid: number
    readonly internalDate: number
    readonly sizeOctets: number
  },
  header: Header,
): SortFacts {
  const { from, to, cc, date, subject } = envelopeOf(header)
  return {
    uid,
    ARRIVAL: internalDate,
    SIZE: sizeOctets,
    DATE: parseDate(date ?? '') ?? internalDate,
    SUBJECT: casemap(baseSubject(decodeWords(subject ?? '')).text),
    FROM: casemap(from[0]?.mailbox ?? ''),
    TO: casemap(to[0]?.mailbox ?? ''),
    CC: casemap(cc[0]?.mailbox ?? ''),
    DISPLAYFROM: shown(from[0]),
    DISPLAYTO: shown(to[0]),
  }
}

/** RFC 5957 §3: the display name, else the address. */
function shown(address: EnvelopeAddress | undefined): string {
  if (address === undefined) return ''
  const { name, mailbox, host } = address
  if (name !== undefined) return casemap(decodeWords(name))
  return casemap(host ? `${mailbox}@${host}` : (mailbox ?? ''))
}

/** UIDs in that order, in steps; what is equal stays in the order of its numbers. */
export function* sortedUids(
  messages: readonly SortFacts[],
  criteria: readonly SortCriterion[],
): Gradual<readonly number[]> {
  const compare = (a: SortFacts, b: SortFacts) => {
    for (const { key, reverse } of criteria) {
      const [left, right] = [a[key], b[key]]
      if (left !== right) return left < right === reverse ? 1 : -1
    }
    return a.uid - b.uid
  }
  return (yield* sorted(messages, compare)).map(({ uid }) => uid)
}
