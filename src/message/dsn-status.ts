/**
 * The second part of a notice, for machines: message/delivery-status (RFC 3464 §2) or, where
 * addresses are UTF-8, message/global-delivery-status (RFC 6533 §3).
 *
 * Called by message/dsn.ts. Everything a peer said is cut to printable characters before it stands
 * in a field here. The text it gives is latin1: one character for each octet.
 */
import { formatAddress, isAscii } from '../mail/address.ts'
import { enhancedCode, type Reply } from '../mail/status.ts'
import { formatDate } from '../wire/date.ts'
import { formatField } from './field.ts'
import type { Action, NoticeFacts, NoticeRecipient } from './notice.ts'
import { type Part, part } from './part.ts'

/** So much of what a remote host said is repeated. */
const DIAGNOSTIC_MAX_CHARS = 2000
/** A word too long to fold, which is cut: no line may pass 998 octets. */
const LONG_WORD = /[^ ]{200}(?=[^ ])/g

/** The status where the given one is no RFC 3463 code. */
const FALLBACK: Readonly<Record<Action, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
}

/** Printable text: controls become spaces, other scripts `?` where the part is ASCII. */
export function printable(text: string, global: boolean): string {
  const cut = text.slice(0, DIAGNOSTIC_MAX_CHARS).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
  const known = global ? cut.toWellFormed() : cut.replace(/[^\u0020-\u007e]/g, '?')
  return known.replace(LONG_WORD, '$& ')
}

export function field(name: string, value: string): string {
  return formatField(name, value) ?? ''
}

/**
 * `rfc822; address` (RFC 3464 §2.1.2). A UTF-8 address is `utf-8; address` in an internationalised
 * notice and utf-8-addr-xtext, `\x{HEX}`, in an ASCII one (RFC 6533 §3).
 */
export function typedAddress(type: string, address: string, global: boolean): string {
  const safe = address
    .slice(0, 800)
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
    .toWellFormed()
  if (isAscii(safe)) return `${type.replace(/[^\w.+-]/g, '') || 'rfc822'}; ${safe}`
  if (global) return `utf-8; ${safe.slice(0, 200)}`
  const ascii = Array.from(safe, char => {
    const code = char.codePointAt(0) ?? 0
    return code > 126 || char === '\\' || char === ' ' || char === '+' || char === '='
      ? `\\x{${code.toString(16).toUpperCase()}}`
      : char
  }).join('')
  return `utf-8; ${ascii.slice(0, 850)}`
}

/** The reply as it was said: every line with its code (RFC 3464 §2.3.6). */
export function replyText(reply: Reply): string {
  const enhanced = enhancedCode(reply)
  const head = enhanced === undefined ? `${reply.code}` : `${reply.code} ${enhanced}`
  return `${head} ${reply.lines.join(' ')}`.trim()
}

/** A domain, or an address in brackets (RFC 3464 §2.1.2 mta-name-type dns). */
export function remoteName(remote: { readonly name?: string; readonly address?: string }): string {
  const name = (remote.name ?? '').slice(0, 255).replace(/[^\w.:[\]-]/g, '?')
  const literal = /^[\d.]+$|:/.test(name) && !name.startsWith('[')
  if (name !== '' && !literal) return name
  const address = (literal ? name : (remote.address ?? '')).slice(0, 100).replace(/[^\w.:]/g, '')
  return address === '' ? '' : address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

/** The remote host's words, or our own where something went wrong without any (RFC 3464 §2.3.6). */
function diagnostic(recipient: NoticeRecipient, global: boolean): string {
  const { action, reason, reply } = recipient
  if (reply !== undefined) {
    return field('Diagnostic-Code', `smtp; ${printable(replyText(reply), global)}`)
  }
  const wrong = action === 'failed' || action === 'delayed'
  return wrong ? field('Diagnostic-Code', `x-postrider; ${printable(reason, global)}`) : ''
}

/** The group of fields about one recipient, in the order of RFC 3464 §2.3. */
function recipientFields(recipient: NoticeRecipient, facts: NoticeFacts, global: boolean): string {
  const { originalRecipient, remote } = recipient
  const status = /^[245]\.\d{1,3}\.\d{1,3}$/.test(recipient.status)
    ? recipient.status
    : FALLBACK[recipient.action]
  const host = remote === undefined ? '' : remoteName(remote)
  const { logId } = facts.original
  return [
    originalRecipient === undefined
      ? ''
      : field(
          'Original-Recipient',
          typedAddress(originalRecipient.type, originalRecipient.address, global),
        ),
    field('Final-Recipient', typedAddress('rfc822', formatAddress(recipient.address), global)),
    `Action: ${recipient.action}\r\n`,
    `Status: ${status}\r\n`,
    host === '' ? '' : field('Remote-MTA', `dns; ${host}`),
    diagnostic(recipient, global),
    recipient.lastAttemptMs === undefined
      ? ''
      : `Last-Attempt-Date: ${formatDate(recipient.lastAttemptMs)}\r\n`,
    logId === undefined ? '' : field('Final-Log-ID', printable(logId, global)),
    recipient.retryUntilMs === undefined || recipient.action !== 'delayed'
      ? ''
      : `Will-Retry-Until: ${formatDate(recipient.retryUntilMs)}\r\n`,
  ].join('')
}

/** The part: one group about the message (§2.2), then one for each recipient. */
export function statusPart(facts: NoticeFacts, global: boolean): Part {
  const message = [
    // RFC 3461 §6.3 (a): the decoded ENVID, and only where there was one.
    facts.envelopeId === undefined
      ? ''
      : field('Original-Envelope-Id', printable(facts.envelopeId, global)),
    field('Reporting-MTA', `dns; ${facts.hostname}`),
    `Arrival-Date: ${formatDate(facts.arrivalMs)}\r\n`,
    // RFC 2852 §5.
    facts.deliverByMs === undefined ? '' : `Deliver-By-Date: ${formatDate(facts.deliverByMs)}\r\n`,
    // RFC 4865 §5.1.2.
    facts.futureRelease === undefined ? '' : field('Future-Release-Request', facts.futureRelease),
  ].join('')
  const groups = facts.recipients.map(recipient => recipientFields(recipient, facts, global))
  const text = [message, ...groups].join('\r\n')
  const type = global ? 'message/global-delivery-status' : 'message/delivery-status'
  const encoding = isAscii(text) ? '7bit' : '8bit'
  const octets = Buffer.from(text).toString('latin1')
  return part(type, { encoding, text: octets }, ['Content-Description: Delivery report\r\n'])
}
