/**
 * The envelope of IMAP (RFC 9051 §7.5.2): what a list of messages shows of a header, which is not the
 * envelope of SMTP. Values are text as it stands in the fields, encoded-words and all. Called by
 * access/ and message/structure-scan.ts.
 */
import { type Group, type Mailbox, parseRawAddressList } from './address-list.ts'
import type { Header } from './header.ts'

export interface Envelope {
  readonly date?: string
  readonly subject?: string
  readonly from: readonly EnvelopeAddress[]
  readonly sender: readonly EnvelopeAddress[]
  readonly replyTo: readonly EnvelopeAddress[]
  readonly to: readonly EnvelopeAddress[]
  readonly cc: readonly EnvelopeAddress[]
  readonly bcc: readonly EnvelopeAddress[]
  readonly inReplyTo?: string
  readonly messageId?: string
}

/** An address, or the start (host absent) and end (both absent) of a group. */
export interface EnvelopeAddress {
  readonly name?: string
  /** `@a,@b`: the source route of old mail. */
  readonly route?: string
  readonly mailbox?: string
  readonly host?: string
}

/** A list is not told beyond: nobody reads it, and it is an answer of megabytes. */
const ADDRESSES_MAX = 2_000

export function envelopeOf(header: Header): Envelope {
  const text = (name: string) => header.first(name)
  const list = (name: string) => addressesOf(header, name)
  return {
    ...given('date', text('date')),
    ...given('subject', text('subject')),
    from: list('from'),
    sender: list('sender'),
    replyTo: list('reply-to'),
    to: list('to'),
    cc: list('cc'),
    bcc: list('bcc'),
    ...given('inReplyTo', text('in-reply-to')),
    ...given('messageId', text('message-id')),
  }
}

function given<K extends string>(key: K, value: string | undefined) {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string }
}

/** Of several fields of one name all addresses count: mail has them, and nobody should be left out. */
function addressesOf(header: Header, name: string): EnvelopeAddress[] {
  const told: EnvelopeAddress[] = []
  for (const field of header.all(name)) {
    if (told.length >= ADDRESSES_MAX) break
    const { entries } = parseRawAddressList(header.text(field), ADDRESSES_MAX)
    for (const entry of entries) told.push(...('members' in entry ? group(entry) : [one(entry)]))
  }
  return told.slice(0, ADDRESSES_MAX)
}

function group({ name, members }: Group): EnvelopeAddress[] {
  return [{ mailbox: name }, ...members.map(one), {}]
}

function one({ name, route, address }: Mailbox): EnvelopeAddress {
  const { local, domain } = address
  const told = { ...(name === '' ? {} : { name }), mailbox: local, host: domain }
  return route === undefined ? told : { ...told, route }
}
