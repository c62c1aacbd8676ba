/**
 * Messages as FETCH tells them (RFC 9051 §7.5.2): what is asked of policy for some items, and how its answer is written.
 * Called by command/fetch.ts, and by news.ts where NOTIFY wants new messages fetched (RFC 5465 §5.1).
 */
import { formatDateTime } from '../date-time.ts'
import { formatNstring, octetsOf } from '../encode.ts'
import { type FetchItem, formatSection } from '../fetch-item.ts'
import { wantsLiteral8, withoutNul } from '../literal.ts'
import type {
  Answers,
  FetchedMessage,
  FetchWish,
  No,
  SectionAnswer,
  SectionWish,
} from './question.ts'
import { formatStates } from './told-states.ts'
import { ask, fetchManner, output, type Running, type Turn, viewOf } from './turn.ts'

/** New messages in the open mailbox, fetched without setting \\Seen. */
export function* tellFetched(
  turn: Turn,
  uids: readonly number[],
  items: readonly FetchItem[],
): Running<void> {
  const wish = wishOf(items, turn.enabled.utf8)
  const size = sliceOf(items, wish)
  for (let at = 0; at < uids.length; at += size) {
    const slice = { key: viewOf(turn).key, uids: uids.slice(at, at + size) }
    const answer = yield* ask<'fetch'>({ kind: 'fetch', ...slice, wish, markSeen: false })
    if (answer.kind === 'no') return
    yield* writeAll(turn, answer, items)
    if (turn.full) yield* output()
  }
}

const FACTS = ['INTERNALDATE', 'SAVEDATE', 'RFC822.SIZE', 'EMAILID', 'THREADID'] as const

export function wishOf(items: readonly FetchItem[], utf8: boolean): FetchWish {
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
export function sliceOf(
  items: readonly FetchItem[],
  { envelope, body, bodyStructure, facts, preview, sections }: FetchWish,
): number {
  if (sections.length > 0) return Math.max(1, Math.floor(20 / sections.length))
  const most = envelope || body || bodyStructure || preview ? 100 : facts ? 500 : 4_000
  return Math.max(1, Math.floor(most / Math.ceil(items.length / 4)))
}

export interface Written {
  readonly messages: number
  /** One was left out, since a part of it is encoded in a way nobody knows. */
  readonly unknownEncoding: boolean
  /** UIDs of those that were told otherwise than they stand there (RFC 6858 §3). */
  readonly downgraded: readonly number[]
}

/** All that one question was answered. */
export function* writeAll(
  turn: Turn,
  answer: Exclude<Answers['fetch'], No>,
  items: readonly FetchItem[],
): Running<Written> {
  if (answer.kind === 'states') {
    const { states } = answer
    const view = viewOf(turn)
    const sequences = view.sequences(states.uids)
    const recent = view.recent > 0 ? (uid: number) => view.isRecent(uid) : undefined
    turn.send(formatStates(states, sequences, items, turn.enabled.uidOnly, recent))
    return { messages: states.uids.length, unknownEncoding: false, downgraded: [] }
  }
  let unknownEncoding = false
  for (const message of answer.messages) {
    if (message.sections.some(({ kind }) => kind === 'unknown encoding')) unknownEncoding = true
    else yield* write(turn, message, items)
  }
  const downgraded = answer.messages.filter(each => each.downgraded).map(({ uid }) => uid)
  return { messages: answer.messages.length, unknownEncoding, downgraded }
}

/** `* 3 FETCH (...)`. */
function* write(turn: Turn, message: FetchedMessage, items: readonly FetchItem[]): Running<void> {
  const sequence = viewOf(turn).sequence(message.uid)
  if (sequence === 0) return
  let text = turn.enabled.uidOnly ? `* ${message.uid} UIDFETCH (` : `* ${sequence} FETCH (`
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
  const has = (kind: FetchItem['kind']) => items.some(item => item.kind === kind)
  if (message.flagsChanged) {
    const { modSeq, uid, uidOnly } = fetchManner(turn)
    if (!has('FLAGS')) text += ` FLAGS (${viewOf(turn).flagsOf(message)})`
    if (uid && !uidOnly && !has('UID')) text += ` UID ${message.uid}`
    if (modSeq && !has('MODSEQ')) text += ` MODSEQ (${message.modSeq})`
  }
  turn.send(`${text})\r\n`)
}

/** Sends what is written so far and the octets; gives what is to be written behind them. */
function* writeOctets(
  turn: Turn,
  text: string,
  answer: SectionAnswer | undefined,
  binary: boolean,
): Running<string> {
  if (answer === undefined || answer.kind !== 'octets') return `${text} NIL`
  const eight = binary && wantsLiteral8(answer)
  const content = eight ? answer.content : withoutNul(answer)
  turn.send(`${text} ${eight ? '~' : ''}{${answer.sizeOctets}}\r\n`)
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
      return `(${viewOf(turn).flagsOf(message)})`
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
