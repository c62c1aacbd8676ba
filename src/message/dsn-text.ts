/**
 * The first part of a notice, for people: what happened, to whom, why, and what to do next.
 *
 * Called by message/dsn.ts. Plain English unless the operator has words of his own (notice-text.ts), short
 * lines, no blame and no jargon where it can be helped; the remote host's own words stand indented, as they came.
 */
import { formatAddress } from '../mail/address.ts'
import { formatDate } from '../wire/date.ts'
import { replyText } from './dsn-status.ts'
import { decodeWords } from './encoded-word.ts'
import type { Header } from './header.ts'
import type { Action, NoticeFacts, NoticeRecipient } from './notice.ts'
import {
  englishTexts,
  fill,
  type NoticeKind,
  type NoticeTexts,
  type Placeholder,
  paragraphsOf,
} from './notice-text.ts'

const LINE_MAX_CHARS = 72
/** What is repeated of one recipient's words, and of those of all. */
const WORDS_MAX_CHARS = 2000
const WORDS_MIN_CHARS = 200
const ALL_WORDS_MAX_CHARS = 200_000
const SUBJECT_MAX_CHARS = 200

/** Failures first: they are what the sender must know. */
const ORDER: readonly Action[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded']

/** The texts of a notice, and the words that go into them. */
export interface Wording {
  readonly texts: NoticeTexts
  readonly words: Readonly<Record<Placeholder, string>>
}

export function wordingOf(facts: NoticeFacts, original: Header): Wording {
  const until = facts.recipients.flatMap(recipient => recipient.retryUntilMs ?? [])
  const words = {
    hostname: facts.hostname,
    postmaster: `postmaster@${facts.hostname}`,
    sender: plain(formatAddress(facts.sender)),
    subject: subjectLine(original),
    id: idOf(facts),
    arrived: formatDate(facts.arrivalMs),
    until: until.length === 0 ? '' : formatDate(Math.max(...until)),
  }
  return { texts: facts.texts ?? englishTexts, words }
}

/** The subject names the gravest thing the notice tells. */
export function subjectOf({ recipients, undeliverable }: NoticeFacts, wording: Wording): string {
  const told = new Set(recipients.map(recipient => recipient.action))
  const gravest = ORDER.find(action => told.has(action)) ?? 'failed'
  const kind = undeliverable ? 'undeliverable' : gravest
  return plain(fill(wording.texts.kinds[kind].subject, wording.words)).trim()
}

/** The whole text, CRLF line ends. */
export function textOf(facts: NoticeFacts, original: Header, wording: Wording): string {
  const { texts } = wording
  const blocks = [...paragraphs(texts.opening, wording, [])]
  for (const action of ORDER) {
    const those = facts.recipients.filter(recipient => recipient.action === action)
    if (those.length === 0) continue
    const kind: NoticeKind = facts.undeliverable && action === 'failed' ? 'undeliverable' : action
    const described = those.map(one => describe(one, facts, isEnglish(texts)))
    blocks.push(...paragraphs(texts.kinds[kind].text, wording, described))
  }
  blocks.push(...paragraphs(texts.closing, wording, [about(facts, original)]))
  return `${blocks.join('\r\n\r\n')}\r\n`
}

export function isEnglish({ language }: NoticeTexts): boolean {
  return /^en(?:-|$)/i.test(language)
}

/** A text with its words, wrapped line by line; `blocks` where it has a paragraph for them. */
function paragraphs(text: string, { words }: Wording, blocks: readonly string[]): string[] {
  return paragraphsOf(text).flatMap(paragraph =>
    paragraph === '{recipients}' || paragraph === '{message}'
      ? blocks
      : paragraph
          .split('\n')
          .map(line => wrap(fill(line, words), ''))
          .join('\r\n'),
  )
}

/** Words on lines of at most 72 characters behind the indent; a longer word stands alone. */
function wrap(text: string, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/[\s\u0000-\u001f\u007f]+/)) {
    if (word === '') continue
    if (line !== '' && indent.length + line.length + 1 + word.length > LINE_MAX_CHARS) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map(each => indent + each).join('\r\n')
}

function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, '?')
}

function remoteOf(recipient: NoticeRecipient, english: boolean): string {
  const { name, address } = recipient.remote ?? {}
  if (name !== undefined && address !== undefined) return `${name} [${address}]`
  return name ?? address ?? (english ? 'The remote mail system' : '')
}

/** RFC 3463 subjects and details that a sender can do something about. */
function advice(recipient: NoticeRecipient): string {
  const detail = recipient.status.split('.').slice(1).join('.')
  if (/^1\.(?:1|6|10)$/.test(detail)) return 'Please check the spelling of the address.'
  if (/^1\.2$/.test(detail)) return 'Please check the part of the address behind the @.'
  if (/^2\.2$/.test(detail))
    return 'The mailbox is full. Please try again later, or tell the recipient in another way.'
  if (/^(?:2\.3|3\.4)$/.test(detail))
    return 'The message is too large for this recipient. Please send a smaller one, or a link.'
  if (/^4\.(?:1|4|7)$/.test(detail))
    return 'The mail system of the recipient could not be reached. Please try again later.'
  if (/^4\.6$/.test(detail))
    return 'The message went round in circles. The postmaster of the recipient can repair that.'
  if (/^7\./.test(detail))
    return 'The message was refused by a rule. The words above may say which; the postmaster of the recipient knows.'
  return 'If the words above do not help, please ask the postmaster of the recipient.'
}

/** What became of one recipient. In other languages only the facts, which have none. */
function describe(recipient: NoticeRecipient, facts: NoticeFacts, english: boolean): string {
  const share = Math.floor(ALL_WORDS_MAX_CHARS / facts.recipients.length)
  const most = Math.min(WORDS_MAX_CHARS, Math.max(WORDS_MIN_CHARS, share))
  const address = plain(formatAddress(recipient.address))
  const lines = [`  <${address}>`]
  const said = recipient.originalRecipient?.address
  if (said !== undefined && said.toLowerCase() !== address.toLowerCase()) {
    const written = said.slice(0, 500)
    lines.push(wrap(english ? `(you wrote to ${written})` : `(<${written}>)`, '    '))
  }
  lines.push(wrap(recipient.reason.slice(0, most), '    '))
  if (recipient.reply !== undefined) {
    const said = `${remoteOf(recipient, english)}${english ? ' said' : ''}:`
    lines.push(`    ${wrap(said, '    ').trimStart()}`)
    lines.push(wrap(replyText(recipient.reply).slice(0, most), '      '))
  }
  if (!english) return lines.join('\r\n')
  if (recipient.action === 'failed' && !facts.undeliverable) {
    lines.push(wrap(advice(recipient), '    '))
  }
  if (recipient.action === 'delayed' && recipient.retryUntilMs !== undefined) {
    lines.push(wrap(`It is tried until ${formatDate(recipient.retryUntilMs)}.`, '    '))
  }
  return lines.join('\r\n')
}

/** What the message was, so that the sender recognises it. */
function about(facts: NoticeFacts, original: Header): string {
  const lines = [`  Received: ${formatDate(facts.arrivalMs)}`]
  const subject = subjectLine(original)
  if (subject !== '') lines.push(`  Subject:  ${wrap(subject, '            ').trim()}`)
  const id = idOf(facts)
  if (id !== '') lines.push(`  Our id:   ${id}`)
  return lines.join('\r\n')
}

function subjectLine(original: Header): string {
  const decoded = decodeWords((original.first('subject') ?? '').slice(0, 1000)).trim()
  return plain(decoded.slice(0, SUBJECT_MAX_CHARS))
}

function idOf({ original }: NoticeFacts): string {
  return (original.logId ?? '').replace(/[^\w.-]/g, '?')
}
