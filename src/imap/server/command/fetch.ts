/**
 * FETCH (RFC 9051 §6.4.5): what the client asks of some messages, a slice of them at a time, so that
 * memory is bounded however many there are and however large. Literals stream: their sizes are known first.
 */

import type { Cursor } from '../../cursor.ts'
import { formatDateTime } from '../../date-time.ts'
import { formatNstring, octetsOf } from '../../encode.ts'
import { type FetchItem, formatSection, readFetchItems } from '../../fetch-item.ts'
import { readNumberSet } from '../../number-set.ts'
import { tellNews } from '../news.ts'
import type { FetchedMessage, FetchWish, SectionAnswer, SectionWish } from '../question.ts'
import {
  ask,
  bad,
  no,
  ok,
  output,
  type Result,
  type Running,
  refused,
  type Turn,
  viewOf,
} from '../turn.ts'
import { narrowed, readFetchModifiers } from './fetch-modifier.ts'

export const fetch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidFetch = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)

/**
 *     fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" ... ")") [fetch-modifiers]
 *
 * An item is told for every message that is there, in the order it was asked for.
 */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.space()
  const read = readFetchItems(cursor)
  const modifiers = readFetchModifiers(turn, cursor, byUid)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  const named = byUid ? view.byUid(set, turn.saved) : view.bySequence(set, turn.saved)
  if (named === undefined) return bad('a number is out of range')
  if (read.some(({ kind }) => kind === 'MODSEQ')) turn.condstore()
  const uids = yield* narrowed(turn, set, named, modifiers)
  if ('kind' in uids) return uids
  const items = dressed(read, byUid || turn.enabled.qresync, modifiers.changedSince !== undefined)
  const wish = wishOf(items, turn.enabled.utf8)
  const markSeen = !view.readOnly && items.some(marksSeen)
  const size = sliceOf(wish)
  let unknownEncoding = false
  let gone = 0
  for (let at = 0; at < uids.length; at += size) {
    const slice = uids.slice(at, at + size)
    const answer = yield* ask<'fetch'>({
      kind: 'fetch',
      key: view.key,
      uids: slice,
      wish,
      markSeen,
    })
    if (answer.kind === 'no') return refused(answer)
    gone += slice.length - answer.messages.length
    view.own(answer.messages.filter(message => message.flagsChanged))
    for (const message of answer.messages) {
      if (message.sections.some(({ kind }) => kind === 'unknown encoding')) unknownEncoding = true
      else yield* write(turn, message, items)
    }
    if (turn.full) yield* output()
  }
  // Something happened that nobody has told us: the client should not have to ask for it.
  if (gone > 0) yield* tellNews(turn, byUid)
  if (unknownEncoding) return no('a part is encoded in a way nobody knows', 'UNKNOWN-CTE')
  return gone > 0
    ? ok('FETCH completed; some messages are gone', 'EXPUNGEISSUED')
    : ok('FETCH completed')
}

/** UID and MODSEQ stand in the answer where the dialect has it so, asked for or not (RFC 7162 §3.1.4.1, §3.2.4). */
function dressed(items: readonly FetchItem[], uid: boolean, modSeq: boolean): readonly FetchItem[] {
  const has = (kind: FetchItem['kind']) => items.some(item => item.kind === kind)
  return [
    ...(uid && !has('UID') ? [{ kind: 'UID' } as const] : []),
    ...items,
    ...(modSeq && !has('MODSEQ') ? [{ kind: 'MODSEQ' } as const] : []),
  ]
}

function marksSeen(item: FetchItem): boolean {
  return (item.kind === 'SECTION' || item.kind === 'BINARY') && !item.peek
}

const FACTS = ['INTERNALDATE', 'SAVEDATE', 'RFC822.SIZE', 'EMAILID', 'THREADID'] as const

function wishOf(items: readonly FetchItem[], utf8: boolean): FetchWish {
  const kinds = new Set(items.map(item => item.kind))
  return {
    envelope: kinds.has('ENVELOPE'),
    body: kinds.has('BODY'),
    bodyStructure: kinds.has('BODYSTRUCTURE'),
    facts: FACTS.some(kind => kinds.has(kind)),
    utf8,
    preview: kinds.has('PREVIEW'),
    sections: items.flatMap(item => sectionWish(item) ?? []),
  }
}

function sectionWish(item: FetchItem): SectionWish | undefined {
  switch (item.kind) {
    case 'SECTION': {
      const { section, partial } = item
      return { section, as: 'octets', ...(partial ? { partial } : {}) }
    }
    case 'BINARY': {
      const { part, partial } = item
      const section = { part, text: '' as const, fields: [] }
      return { section, as: 'binary', ...(partial ? { partial } : {}) }
    }
    case 'BINARY.SIZE':
      return { section: { part: item.part, text: '', fields: [] }, as: 'binary size' }
    default:
      return undefined
  }
}

/** How many messages are asked for at once: more where each is little, one where a thousand sections of it are. */
function sliceOf({ envelope, body, bodyStructure, preview, sections }: FetchWish): number {
  if (sections.length > 0) return Math.max(1, Math.floor(20 / sections.length))
  return envelope || body || bodyStructure || preview ? 100 : 500
}

/** `* 3 FETCH (...)`. */
function* write(turn: Turn, message: FetchedMessage, items: readonly FetchItem[]): Running<void> {
  const sequence = viewOf(turn).sequence(message.uid)
  if (sequence === 0) return
  let text = `* ${sequence} FETCH (`
  let section = 0
  let first = true
  for (const item of items) {
    text += first ? '' : ' '
    first = false
    const wanted = item.kind === 'SECTION' || item.kind === 'BINARY' || item.kind === 'BINARY.SIZE'
    if (!wanted) {
      text += `${item.kind} ${textOf(turn, message, item.kind)}`
      continue
    }
    const answer = message.sections[section++]
    text += nameOf(item)
    if (item.kind === 'BINARY.SIZE') {
      text += ` ${answer?.kind === 'octets' ? answer.sizeOctets : 0}`
    } else text = yield* writeOctets(turn, text, answer, item.kind === 'BINARY')
  }
  // RFC 9051 §6.4.5: the client is told that its reading has set \Seen.
  if (message.flagsChanged && !items.some(item => item.kind === 'FLAGS')) {
    text += ` FLAGS (${message.flags.join(' ')})`
  }
  if (message.flagsChanged && turn.enabled.condstore && !items.some(isModSeq)) {
    text += ` MODSEQ (${message.modSeq})`
  }
  turn.send(`${text})\r\n`)
}

function isModSeq({ kind }: FetchItem): boolean {
  return kind === 'MODSEQ'
}

/** Sends what is written so far and the octets; gives what is to be written behind them. */
function* writeOctets(
  turn: Turn,
  text: string,
  answer: SectionAnswer | undefined,
  binary: boolean,
): Running<string> {
  if (answer === undefined || answer.kind !== 'octets') return `${text} NIL`
  const { content, sizeOctets } = answer
  // RFC 3516 §4.2: octets that may hold NUL go in a literal8.
  turn.send(`${text} ${binary ? '~' : ''}{${sizeOctets}}\r\n`)
  if (content instanceof Uint8Array) turn.send(content)
  else turn.stream(content)
  if (turn.full) yield* output()
  return ''
}

function nameOf(
  item: Extract<FetchItem, { readonly kind: 'SECTION' | 'BINARY' | 'BINARY.SIZE' }>,
): string {
  if (item.kind === 'BINARY.SIZE') return `BINARY.SIZE[${item.part.join('.')}]`
  const origin = item.partial === undefined ? '' : `<${item.partial.from}>`
  if (item.kind === 'BINARY') return `BINARY[${item.part.join('.')}]${origin}`
  return item.name === 'BODY' ? `BODY[${formatSection(item.section)}]${origin}` : item.name
}

function textOf(turn: Turn, message: FetchedMessage, kind: FetchItem['kind']): string {
  const { utf8 } = turn.enabled
  switch (kind) {
    case 'UID':
      return String(message.uid)
    case 'FLAGS':
      return `(${message.flags.join(' ')})`
    case 'INTERNALDATE':
      return `"${formatDateTime(message.facts?.internalDate ?? 0)}"`
    case 'RFC822.SIZE':
      return String(message.facts?.sizeOctets ?? 0)
    case 'ENVELOPE':
      return message.envelope ?? 'NIL'
    case 'BODY':
      return message.body ?? 'NIL'
    case 'BODYSTRUCTURE':
      return message.bodyStructure ?? 'NIL'
    case 'MODSEQ':
      return `(${message.modSeq})`
    case 'EMAILID':
      return `(${message.facts?.emailId})`
    case 'THREADID':
      return message.facts?.threadId === undefined ? 'NIL' : `(${message.facts.threadId})`
    case 'SAVEDATE':
      return `"${formatDateTime(message.facts?.savedAt ?? 0)}"`
    case 'PREVIEW':
      return formatNstring(
        message.preview === undefined ? undefined : octetsOf(message.preview),
        utf8,
      )
    default:
      return 'NIL'
  }
}
