/**
 * What submission does to a header (RFC 6409 §6, §8; RFC 5322 §3.6): refuses what has no author,
 * adds the fields that are missing, and tells who a message says it is from.
 *
 * Called by inbound/submission with a scanned header. It never changes octets: it gives text to be
 * put in front, and ranges to be left out. Who may write as whom is policy, decided elsewhere.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import { formatDate } from '../wire/date.ts'
import { parseAddressList } from './address-list.ts'
import type { Field, Header } from './header.ts'

/** Why a header cannot be submitted, and a line for the sender. */
export interface HeaderFault {
  readonly kind: 'too large' | 'no from' | 'many from' | 'bad from' | 'many sender' | 'bad sender'
  readonly text: string
}

/** Who a message says wrote it and sent it (RFC 5322 §3.6.2). */
export interface Authors {
  readonly from: readonly Address[]
  /** Empty where there is no `Sender:` field. */
  readonly sender: readonly Address[]
}

/** What completes a header. */
export interface Completion {
  /** Our own name, the right side of the Message-ID. */
  readonly hostname: string
  readonly timeMs: number
  /** Random and unique; the left side of the Message-ID. */
  readonly id: string
  /** Becomes `From:` where the message has none. Left out: none is added. */
  readonly from?: Address
  /** Becomes `Sender:` where `From:` has several authors and no `Sender:` stands (RFC 6409 §8.1). */
  readonly sender?: Address
}

/** The first reason to refuse a submitted header, or undefined. A missing `From:` is one. */
export function headerFault(header: Header): HeaderFault | undefined {
  if (header.end === 'cut' || header.end === 'limit') {
    return { kind: 'too large', text: 'the header of the message is too large' }
  }
  const from = header.count('from')
  if (from === 0) return { kind: 'no from', text: 'the message has no From field' }
  if (from > 1) return { kind: 'many from', text: 'the message has more than one From field' }
  const author = parseAddressList(header.first('from') ?? '', AUTHORS_MAX)
  if (author.fault !== undefined || author.mailboxes.length === 0) {
    return { kind: 'bad from', text: `the From field has ${author.fault ?? 'no address'}` }
  }
  const senders = header.count('sender')
  if (senders === 0) return undefined
  if (senders > 1)
    return { kind: 'many sender', text: 'the message has more than one Sender field' }
  const sender = parseAddressList(header.first('sender') ?? '', AUTHORS_MAX)
  if (sender.fault !== undefined || sender.mailboxes.length !== 1) {
    return { kind: 'bad sender', text: `the Sender field has ${sender.fault ?? 'not one address'}` }
  }
  return undefined
}

/** Nobody writes with so many; beyond it a list has a fault and costs no more time. */
export const AUTHORS_MAX = 1000

function addressesOf(header: Header, fields: readonly Field[]): Address[] {
  return fields
    .flatMap(field => parseAddressList(header.text(field), AUTHORS_MAX).mailboxes)
    .map(mailbox => mailbox.address)
}

/**
 * The addresses of all `From:` and `Sender:` fields, for rules about who may write as whom. Only
 * for a header without a `headerFault`: in a broken list some addresses may be missed.
 */
export function authorsOf(header: Header): Authors {
  return {
    from: addressesOf(header, header.all('from')),
    sender: addressesOf(header, header.all('sender')),
  }
}

/** `<id@host>` of characters that no reader of msg-id stumbles over (RFC 5322 §3.6.4). */
export function formatMessageId(id: string, hostname: string): string {
  const left = id.slice(0, 200).replace(/[^\w-]/g, '-') || 'message'
  const right = hostname.slice(0, 255).replace(/[^\w.-]/g, '-') || 'localhost'
  return `<${left}@${right}>`
}

/**
 * The fields a submitted message lacks (RFC 6409 §8.1 `Sender`, §8.2 `Date`, §8.3 `Message-ID`),
 * each with its CRLF, to stand before its header. '' where nothing is missing.
 */
export function missingFields(header: Header, facts: Completion): string {
  let text = ''
  if (!header.has('date')) text += `Date: ${formatDate(facts.timeMs)}\r\n`
  if (!header.has('from') && facts.from !== undefined) {
    text += `From: ${formatAddress(facts.from)}\r\n`
  }
  if (facts.sender !== undefined && !header.has('sender')) {
    const authors = addressesOf(header, header.all('from'))
    if (authors.length > 1) text += `Sender: ${formatAddress(facts.sender)}\r\n`
  }
  if (!header.has('message-id')) {
    text += `Message-ID: ${formatMessageId(facts.id, facts.hostname)}\r\n`
  }
  return text
}

/**
 * What must stand between fields of ours and a message, so that neither becomes part of the other:
 * a blank line before text that has no header at all, and the name of a field before an mbox
 * separator (`From joe Mon ...`), which else would end the header. '' for a message with a header.
 */
export function seam(header: Header): string {
  if (header.end === 'junk' && header.fields.length === 0) return '\r\n'
  return header.from > 0 ? 'X-Mailbox-Line: ' : ''
}

/** A range of octets, `to` not included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Where the fields of these names stand, neighbours joined: what is left out when `Bcc:` is removed
 * before mail leaves (RFC 5322 §3.6.3), or a `Return-Path:` that somebody brought along; and these fields.
 */
export function rangesOf(
  header: Header,
  names: readonly string[],
  fields: readonly Field[] = [],
): Range[] {
  if (names.length === 0 && fields.length === 0) return []
  const wanted = new Set(names.map(name => name.toLowerCase()))
  const gone = new Set(fields.map(({ from }) => from))
  const ranges: { from: number; to: number }[] = []
  for (const field of header.fields) {
    if (!wanted.has(field.name) && !gone.has(field.from)) continue
    const last = ranges.at(-1)
    if (last?.to === field.from) last.to = field.next
    else ranges.push({ from: field.from, to: field.next })
  }
  return ranges
}
