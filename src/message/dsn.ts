/**
 * Delivery status notifications: multipart/report (RFC 6522) with RFC 3464 inside, answering what
 * RFC 3461 asks for, in UTF-8 where RFC 6533 has it.
 *
 * Called by the queue when recipients failed, are late, or succeeded and that was to be told. It
 * writes the whole message but its trace fields; the queue sends it from `<>`. The text for people
 * is message/dsn-text.ts, the part for machines message/dsn-status.ts, the returned message
 * message/dsn-original.ts. It knows no queue and decides nothing: whether a notice may be sent at
 * all (never about a null sender, RFC 5321 §6.1) is settled before.
 */
import { formatAddress, isAscii } from '../mail/address.ts'
import { formatDate } from '../wire/date.ts'
import { formatMessageId } from './complete.ts'
import { isInternational, originalPart } from './dsn-original.ts'
import { statusPart } from './dsn-status.ts'
import { isEnglish, subjectOf, textOf, type Wording, wordingOf } from './dsn-text.ts'
import { encodeText } from './encode.ts'
import { formatField, formatText } from './field.ts'
import { type Header, scanHeader } from './header.ts'
import type { Notice, NoticeFacts } from './notice.ts'
import { fill } from './notice-text.ts'
import { join, part } from './part.ts'

const FULL_MAX_BYTES = 102_400

/** A notice is internationalised only where the sender is, or asked for SMTPUTF8 (RFC 6533 §3). */
function isGlobal(facts: NoticeFacts): boolean {
  return facts.original.utf8 || !isAscii(formatAddress(facts.sender))
}

/** The original's Message-ID, if it can stand in In-Reply-To and References as it is. */
function threadOf(header: Header): string {
  const id = header.first('message-id') ?? ''
  return /^<[!-;=?-~]{1,300}>$/.test(id) ? `In-Reply-To: ${id}\r\nReferences: ${id}\r\n` : ''
}

function headerOf(facts: NoticeFacts, original: Header, wording: Wording): string {
  const to = formatField('To', formatAddress(facts.sender))
  return [
    `Date: ${formatDate(facts.timeMs)}\r\n`,
    formatField('From', fill(wording.texts.from, wording.words)) ?? '',
    // An address that no field can hold was never accepted; the envelope still has it.
    to ?? 'To: undisclosed-recipients:;\r\n',
    `Message-ID: ${formatMessageId(facts.id, facts.hostname)}\r\n`,
    threadOf(original),
    formatText('Subject', subjectOf(facts, wording)),
    // RFC 3834 §5: no automaton shall answer this.
    'Auto-Submitted: auto-replied\r\n',
    'MIME-Version: 1.0\r\n',
  ].join('')
}

/** Our name comes from the settings; a slip there must not break every notice. */
function safeHostname(hostname: string): string {
  return hostname.slice(0, 255).replace(/[^\w.:[\]-]/g, '-') || 'localhost'
}

/** The notice, ready for the queue. At least one recipient must be told about. */
export function formatNotice(given: NoticeFacts): Notice {
  const facts = { ...given, hostname: safeHostname(given.hostname) }
  const global = isGlobal(facts)
  const header = scanHeader(facts.original.prefix, {
    partial: facts.original.prefix.length < facts.original.sizeOctets,
  })
  const wholeAllowed =
    facts.ret !== 'HDRS' &&
    facts.recipients.some(recipient => recipient.action === 'failed') &&
    facts.original.sizeOctets <= (facts.fullMaxBytes ?? FULL_MAX_BYTES)
  const wording = wordingOf(facts, header)
  const text = encodeText(textOf(facts, header, wording))
  const charset = text.encoding === '7bit' ? 'us-ascii' : 'utf-8'
  const status = statusPart(facts, global)
  const original = originalPart(facts.original, header, wholeAllowed, global)
  const parts = [
    part(`text/plain; charset=${charset}`, text, [
      'Content-Description: Notification\r\n',
      ...(isEnglish(wording.texts) ? [] : [`Content-Language: ${wording.texts.language}\r\n`]),
    ]),
    status,
    original,
  ]
  const report = join('report; report-type=delivery-status', parts, facts.id)
  const head = headerOf(facts, header, wording)
  const octets = Buffer.from(`${head}${report.fields}\r\n`, 'utf8')
  // The parts are kept as latin1 strings where they hold foreign octets: see dsn-original.ts.
  const body = Buffer.from(report.text, 'latin1')
  const utf8 = !isAscii(head) || status.encoding === '8bit' || isInternational(original)
  return {
    octets: Buffer.concat([octets, body]),
    body: utf8 || report.encoding === '8bit' ? '8BITMIME' : '7BIT',
    utf8,
  }
}
