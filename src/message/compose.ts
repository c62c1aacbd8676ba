/**
 * Builds a message (RFC 5322, MIME RFC 2045 to 2049) from what a person wants to say.
 *
 * Called by the command line's `send`, and by whoever embeds Postrider. What comes out has CRLF
 * lines of at most 998 octets and is 7-bit but for the header of a message with UTF-8 addresses
 * (RFC 6532). Nothing given to it can add a field: what does not fit is refused with its reason.
 */
import { type Address, formatAddress, isAscii } from '../mail/address.ts'
import { formatDate } from '../wire/date.ts'
import { formatAddressList, type Mailbox, parseAddressList } from './address-list.ts'
import { type Encoded, encodeBase64, encodeText, kindOf } from './encode.ts'
import { encodeParameter } from './encoded-word.ts'
import { formatField, formatText, isFieldName } from './field.ts'
import { join, type Part, part } from './part.ts'

export interface Attachment {
  readonly filename: string
  /** `type/subtype`; application/octet-stream where it is left out. */
  readonly type?: string
  readonly content: Uint8Array
  /** Names it for `cid:` links in the HTML, which then stands beside it in multipart/related. */
  readonly contentId?: string
}

export interface Draft {
  readonly from: readonly Mailbox[]
  readonly sender?: Mailbox
  readonly replyTo?: readonly Mailbox[]
  readonly to?: readonly Mailbox[]
  readonly cc?: readonly Mailbox[]
  readonly subject?: string
  readonly text?: string
  readonly html?: string
  readonly attachments?: readonly Attachment[]
  readonly dateMs: number
  /** With its angle brackets. */
  readonly messageId: string
  /** Further fields in order. Those this file writes itself, and `Bcc:`, are refused. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

export type Composed =
  /** `utf8`: the header has UTF-8 addresses, so that sending it takes SMTPUTF8 and 8BITMIME. */
  | { readonly kind: 'composed'; readonly octets: Uint8Array; readonly utf8: boolean }
  | { readonly kind: 'refused'; readonly reason: string }

/** Fields that are written from a draft's own members, and those that must not be seen. */
const OWN_FIELDS = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'mime-version',
])

class Refused extends Error {}

/** The address as it will stand in the field; refused unless it reads back as just this address. */
function checked(mailbox: Mailbox): Mailbox {
  const text = formatAddress(mailbox.address)
  const list = parseAddressList(text)
  const back: Address | undefined = list.mailboxes[0]?.address
  const same = back?.local === mailbox.address.local && back.domain === mailbox.address.domain
  const fits = Buffer.byteLength(text) <= 800 && !/[\u0000-\u001f\u007f]/.test(text)
  if (list.fault !== undefined || list.mailboxes.length !== 1 || !same || !fits) {
    throw new Refused(`not an address: ${JSON.stringify(text.slice(0, 100))}`)
  }
  return mailbox
}

function addressField(name: string, mailboxes: readonly Mailbox[] | undefined): string {
  if (mailboxes === undefined || mailboxes.length === 0) return ''
  const field = formatField(name, formatAddressList(mailboxes.map(checked)))
  if (field === undefined) throw new Refused(`${name} has an address that does not fit a line`)
  return field
}

/** msg-id (RFC 5322 §3.6.4) of printable ASCII, short enough for a line. */
function messageIdField(messageId: string): string {
  if (!/^<[!-;=?-~]{1,500}>$/.test(messageId)) throw new Refused('not a Message-ID')
  return `Message-ID: ${messageId}\r\n`
}

function extraField(name: string, value: string): string {
  const lower = name.toLowerCase()
  if (!isFieldName(name) || OWN_FIELDS.has(lower) || lower.startsWith('content-')) {
    throw new Refused(`not a field to be added: ${JSON.stringify(name.slice(0, 100))}`)
  }
  if (/[\r\n\0]/.test(value)) throw new Refused(`${name} has a line end or NUL in it`)
  return formatText(name, value)
}

function headerOf(draft: Draft): string {
  if (draft.from.length === 0) throw new Refused('a message needs a From address')
  const sender = draft.sender === undefined ? undefined : [draft.sender]
  return [
    `Date: ${formatDate(draft.dateMs)}\r\n`,
    addressField('From', draft.from),
    addressField('Sender', sender),
    addressField('Reply-To', draft.replyTo),
    addressField('To', draft.to),
    addressField('Cc', draft.cc),
    messageIdField(draft.messageId),
    draft.subject === undefined ? '' : formatText('Subject', draft.subject),
    ...(draft.headers ?? []).map(([name, value]) => extraField(name, value)),
    'MIME-Version: 1.0\r\n',
  ].join('')
}

function textPart(subtype: 'plain' | 'html', text: string): Part {
  const encoded = encodeText(text)
  const charset = encoded.encoding === '7bit' ? 'us-ascii' : 'utf-8'
  return part(`text/${subtype}; charset=${charset}`, encoded)
}

/** RFC 2045 §5.1; parameters are not taken here. */
const TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}$/

function attachmentPart(attachment: Attachment): Part {
  let type = attachment.type ?? 'application/octet-stream'
  if (!TYPE.test(type)) throw new Refused(`not a media type: ${JSON.stringify(type.slice(0, 100))}`)
  let encoded: Encoded = { encoding: 'base64', text: encodeBase64(attachment.content) }
  // RFC 2046 §5.2.1, §5.1: a message or multipart must not be base64; where it cannot go as it is, it is a file.
  if (/^(?:message|multipart)\//i.test(type)) {
    if (kindOf(attachment.content) === '7bit' && /^message\//i.test(type)) {
      encoded = { encoding: '7bit', text: Buffer.from(attachment.content).toString('latin1') }
    } else type = 'application/octet-stream'
  }
  const inline = attachment.contentId !== undefined
  const disposition = [
    inline ? 'inline' : 'attachment',
    // No control character comes back out of a decoded name, either.
    ...encodeParameter('filename', attachment.filename.replace(/[\u0000-\u001f\u007f]/g, '_')),
  ]
  const fields = [formatField('Content-Disposition', disposition.join('; ')) ?? '']
  if (attachment.contentId !== undefined) {
    const id = attachment.contentId
    if (!/^[!-;=?-~]{1,200}$/.test(id)) throw new Refused('not a Content-ID')
    fields.push(`Content-ID: <${id}>\r\n`)
  }
  return part(type, encoded, fields)
}

/** Alternatives first, then what the HTML shows, then what is attached (RFC 2046 §5.1, RFC 2387). */
function bodyOf(draft: Draft): Part {
  const attachments = draft.attachments ?? []
  const shown =
    draft.html === undefined ? [] : attachments.filter(item => item.contentId !== undefined)
  const files = attachments.filter(item => !shown.includes(item))
  let body: Part | undefined
  if (draft.html !== undefined) {
    body = textPart('html', draft.html)
    if (shown.length > 0) {
      const type = 'related; type="text/html"'
      body = join(type, [body, ...shown.map(attachmentPart)], draft.messageId)
    }
  }
  if (draft.text !== undefined || body === undefined) {
    const plain = textPart('plain', draft.text ?? '')
    body = body === undefined ? plain : join('alternative', [plain, body], draft.messageId)
  }
  if (files.length === 0) return body
  return join('mixed', [body, ...files.map(attachmentPart)], draft.messageId)
}

/** The message of a draft, or why it cannot be written. */
export function compose(draft: Draft): Composed {
  try {
    const header = headerOf(draft)
    const body = bodyOf(draft)
    const text = `${header}${body.fields}\r\n${body.text}`
    const octets = Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`)
    return { kind: 'composed', octets, utf8: !isAscii(header) }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', reason: error.message }
    throw error
  }
}
