/**
 * The first part of a notice, for people: what happened, to whom, why, and what to do next.
 *
 * Called by message/dsn.ts. Plain English, short lines, no blame and no jargon where it can be
 * helped; the remote host's own words stand indented, as they came.
 */
import { formatAddress } from '../mail/address.ts'
import { formatDate } from '../wire/date.ts'
import { replyText } from './dsn-status.ts'
import { decodeWords } from './encoded-word.ts'
import type { Header } from './header.ts'
import type { Action, NoticeFacts, NoticeRecipient } from './notice.ts'

const LINE_MAX_CHARS = 72
const WORDS_MAX_CHARS = 2000
const SUBJECT_MAX_CHARS = 200

/** Failures first: they are what the sender must know. */
const ORDER: readonly Action[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded']

/** The subject names the gravest thing the notice tells. */
export function subjectOf(recipients: readonly NoticeRecipient[]): string {
  const actions = new Set(recipients.map(recipient => recipient.action))
  if (actions.has('failed')) return 'Your message could not be delivered'
  if (actions.has('delayed')) return 'Your message is delayed'
  if (actions.has('delivered')) return 'Your message was delivered'
  return 'Your message was handed on'
}

const INTRODUCTION: Readonly<Record<Action, string>> = {
  failed:
    'Your message could not be delivered to the following recipients. It will not be tried again.',
  delayed:
    'Your message has not been delivered yet to the following recipients. You need not send it again: it is kept and tried further.',
  delivered: 'Your message was delivered to the mailboxes of the following recipients.',
  relayed:
    'Your message was handed on for the following recipients to a mail system that may not send you any further notice.',
  expanded:
    'Your message was delivered to the following addresses and sent on from there to further recipients.',
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

function remoteOf(recipient: NoticeRecipient): string {
  const { name, address } = recipient.remote ?? {}
  if (name !== undefined && address !== undefined) return `${name} [${address}]`
  return name ?? address ?? 'The remote mail system'
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

function paragraph(recipient: NoticeRecipient): string {
  const address = formatAddress(recipient.address).replace(/[\u0000-\u001f\u007f]/g, '?')
  const lines = [`  <${address}>`]
  const said = recipient.originalRecipient?.address
  if (said !== undefined && said.toLowerCase() !== address.toLowerCase()) {
    lines.push(wrap(`(you wrote to ${said.slice(0, 500)})`, '    '))
  }
  lines.push(wrap(recipient.reason.slice(0, WORDS_MAX_CHARS), '    '))
  if (recipient.reply !== undefined) {
    lines.push(`    ${wrap(`${remoteOf(recipient)} said:`, '    ').trimStart()}`)
    lines.push(wrap(replyText(recipient.reply).slice(0, WORDS_MAX_CHARS), '      '))
  }
  if (recipient.action === 'failed') lines.push(wrap(advice(recipient), '    '))
  if (recipient.action === 'delayed' && recipient.retryUntilMs !== undefined) {
    lines.push(wrap(`It is tried until ${formatDate(recipient.retryUntilMs)}.`, '    '))
  }
  return lines.join('\r\n')
}

/** What the message was, so that the sender recognises it. */
function about(facts: NoticeFacts, original: Header): string {
  const lines = [`  Received: ${formatDate(facts.arrivalMs)}`]
  const subject = decodeWords((original.first('subject') ?? '').slice(0, 1000)).trim()
  if (subject !== '') {
    lines.push(`  Subject:  ${wrap(subject.slice(0, SUBJECT_MAX_CHARS), '            ').trim()}`)
  }
  if (facts.original.logId !== undefined) {
    lines.push(`  Our id:   ${facts.original.logId.replace(/[^\w.-]/g, '?')}`)
  }
  return lines.join('\r\n')
}

/** The whole text, CRLF line ends. */
export function textOf(facts: NoticeFacts, original: Header): string {
  const blocks = [wrap(`This is the mail system at ${facts.hostname}.`, '')]
  for (const action of ORDER) {
    const those = facts.recipients.filter(recipient => recipient.action === action)
    if (those.length > 0) blocks.push(wrap(INTRODUCTION[action], ''), ...those.map(paragraph))
  }
  blocks.push('The message was:', about(facts, original))
  blocks.push(
    wrap(
      `The parts below hold the details for your mail program and the message, or its header. Questions are answered at postmaster@${facts.hostname}; please have this notice at hand.`,
      '',
    ),
  )
  return `${blocks.join('\r\n\r\n')}\r\n`
}
