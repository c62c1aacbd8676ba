/**
 * What `sendmail` reads on standard input, made into a message with its recipients: line ends, the dot that may
 * end it, recipients of the header (`-t`), Bcc taken out, From put in, names of this machine given their domain
 * (RFC 6409 §4.2). The server adds Date and Message-ID, as for every submission.
 */
import type { Address } from '../mail/address.ts'
import {
  formatAddressList,
  formatMailbox,
  type Mailbox,
  parseAddressList,
  parseLocalAddressList,
} from '../message/address-list.ts'
import { formatField } from '../message/field.ts'
import { type Field, type Header, scanHeader } from '../message/header.ts'

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
  /** What is no address even on this machine. */
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
    const list = parseLocalAddressList(header.text(field), origin)
    addresses.push(...list.mailboxes.map(mailbox => mailbox.address))
    fault ??= list.fault
  }
  return fault === undefined ? { addresses } : { addresses, fault }
}

/** One argument: an address, a local name, or a list of them as a header has it (`Joe <joe@example.org>, ann`). */
export function argumentRecipients(text: string, origin: string): HeaderRecipients {
  const { mailboxes, fault } = parseLocalAddressList(text, origin)
  const addresses = mailboxes.map(mailbox => mailbox.address)
  return fault === undefined ? { addresses } : { addresses, fault }
}

/** Whom it goes to unseen (RFC 5322 §3.6.3). */
const NOT_SENT = new Set(['bcc', 'resent-bcc'])

/** RFC 5322 §3.6.2, §3.6.3, §3.6.6: the fields that name people, as they are written. */
const PEOPLE = new Map(
  [
    'From',
    'Sender',
    'Reply-To',
    'To',
    'Cc',
    'Resent-From',
    'Resent-Sender',
    'Resent-To',
    'Resent-Cc',
  ].map(name => [name.toLowerCase(), name]),
)

/** A field of people with a domain behind every name; undefined where none lacks one. */
function qualified(header: Header, field: Field, origin: string): string | undefined {
  const name = PEOPLE.get(field.name)
  const text = name === undefined ? '' : header.text(field)
  if (name === undefined || parseAddressList(text).fault === undefined) return undefined
  const { entries, fault } = parseLocalAddressList(text, origin)
  return fault === undefined ? formatField(name, formatAddressList(entries)) : undefined
}

/** The message as it is submitted: without Bcc, with a From where it had none, and no name without a domain. */
export function finish(message: Buffer, from: Mailbox, origin: string): Buffer {
  const header = scanHeader(message)
  const parts: Uint8Array[] = []
  const named = header.fields.length > 0
  if (!header.has('from')) {
    const field = formatField('From', formatMailbox(from))
    if (field !== undefined) parts.push(Buffer.from(field))
  }
  // Text without any header must not be read as one.
  if (!named && header.end !== 'blank line') parts.push(Buffer.from('\r\n'))
  const written = (field: Field) => (isUnseen(field) ? '' : qualified(header, field, origin))
  parts.push(rewritten(message, header, written))
  return Buffer.concat(parts)
}

/** The message without Bcc, and else as it is. */
export function withoutBcc(message: Uint8Array): Uint8Array {
  return rewritten(message, scanHeader(message), field => (isUnseen(field) ? '' : undefined))
}

function isUnseen({ name }: Field): boolean {
  return NOT_SENT.has(name)
}

/** With other fields in the place of some. */
function rewritten(
  message: Uint8Array,
  header: Header,
  written: (field: Field) => string | undefined,
): Uint8Array {
  const parts: Uint8Array[] = []
  let at = header.from
  for (const field of header.fields) {
    const text = written(field)
    if (text === undefined) continue
    parts.push(message.subarray(at, field.from), Buffer.from(text))
    at = field.next
  }
  return at === 0 ? message : Buffer.concat([...parts, message.subarray(at)])
}
