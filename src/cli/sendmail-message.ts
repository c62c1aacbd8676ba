/**
 * What `sendmail` reads on standard input, made into a message with its recipients: line ends,
 * the dot that may end it, recipients of the header (`-t`), Bcc taken out, From put in. The server
 * adds Date and Message-ID, as for every submission.
 */
import type { Address } from '../mail/address.ts'
import { formatMailbox, type Mailbox, parseAddressList } from '../message/address-list.ts'
import { rangesOf } from '../message/complete.ts'
import { formatField } from '../message/field.ts'
import { scanHeader } from '../message/header.ts'

/** CRLF line ends; where a dot may end the message, what stands behind it is not read. */
export function readLines(input: Buffer, dotIsText: boolean): Buffer {
  let text = input.toString('latin1').replace(/\r?\n/g, '\r\n')
  if (!dotIsText) {
    const end = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2
    if (end !== 1) text = text.slice(0, end)
    else if (text.endsWith('\r\n.')) text = text.slice(0, -1)
  }
  if (text !== '' && !text.endsWith('\r\n')) text += '\r\n'
  return Buffer.from(text, 'latin1')
}

export interface HeaderRecipients {
  readonly addresses: readonly Address[]
  /** Words that are no addresses, such as a local name: to be qualified by the caller. */
  readonly fault?: string
}

/** `-t`: who the header names; the Resent fields alone, where there are any (RFC 5322 §3.6.6). */
export function headerRecipients(message: Buffer, origin: string): HeaderRecipients {
  const header = scanHeader(message)
  const resent = ['resent-to', 'resent-cc', 'resent-bcc']
  const names = resent.some(name => header.has(name)) ? resent : ['to', 'cc', 'bcc']
  const addresses: Address[] = []
  let fault: string | undefined
  for (const field of names.flatMap(name => header.all(name))) {
    const list = parseAddressList(qualifyList(header.text(field), origin))
    addresses.push(...list.mailboxes.map(mailbox => mailbox.address))
    fault ??= list.fault
  }
  return fault === undefined ? { addresses } : { addresses, fault }
}

/** One argument: an address, a local name, or a list of them as a header has it (`Joe <joe@example.org>, ann`). */
export function argumentRecipients(text: string, origin: string): HeaderRecipients {
  const { mailboxes, fault } = parseAddressList(qualifyList(text, origin))
  const addresses = mailboxes.map(mailbox => mailbox.address)
  return fault === undefined ? { addresses } : { addresses, fault }
}

/** Local names of a header (`To: root, joe`) get the domain that mail of this machine comes from. */
function qualifyList(text: string, origin: string): string {
  if (/["(:;]/.test(text)) return text
  return text
    .split(',')
    .map(word => (/^\s*[\w.+-]+\s*$/.test(word) ? `${word.trim()}@${origin}` : word))
    .join(', ')
}

/** The message as it is submitted: without Bcc, and with a From where it had none. */
export function finish(message: Buffer, from: Mailbox): Buffer {
  const header = scanHeader(message)
  const parts: Buffer[] = []
  const named = header.fields.length > 0
  if (!header.has('from')) {
    const field = formatField('From', formatMailbox(from))
    if (field !== undefined) parts.push(Buffer.from(field))
  }
  // Text without any header must not be read as one.
  if (!named && header.end !== 'blank line') parts.push(Buffer.from('\r\n'))
  let at = header.from
  for (const range of rangesOf(header, ['bcc', 'resent-bcc'])) {
    parts.push(message.subarray(at, range.from))
    at = range.to
  }
  parts.push(message.subarray(at))
  return Buffer.concat(parts)
}
