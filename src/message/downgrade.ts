/**
 * The header of an internationalized message (RFC 6532) as who reads no UTF-8 is given it: simplified downgrading (RFC
 * 6858). Names and free text become encoded-words, an address beyond ASCII is shown in a name and leads nowhere,
 * parameters and fields that cannot be said are left out. Pure; called by access/, and by imap/structure.ts for what ENVELOPE
 * tells. Nothing of it is kept: what is stored is the message as it came.
 */
import { formatAddressList, type Group, type Mailbox, parseAddressList } from './address-list.ts'
import { formatField, formatText } from './field.ts'
import { type Field, scanHeader } from './header.ts'

/** §2.1: an address that nobody has. */
export const NO_ADDRESS = { local: 'invalid', domain: 'internationalized-address.invalid' } as const

const ADDRESSES =
  /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)$|^(?:disposition-notification-to|return-path|delivered-to)$/
const TEXTS = /^(?:subject|comments|keywords|content-description|x-.*)$/
const PARAMETERS = /^content-(?:type|disposition)$/
const BEYOND_ASCII = /[^\x00-\x7f]/

/** Undefined where there is nothing to be done: it is ASCII, or no UTF-8, and then not of RFC 6532. */
export function downgradedHeader(octets: Buffer): Buffer | undefined {
  if (!BEYOND_ASCII.test(octets.toString('latin1')) || !isUtf8(octets)) return undefined
  const header = scanHeader(octets)
  const pieces: Uint8Array[] = []
  let at = 0
  for (const field of header.fields) {
    pieces.push(octets.subarray(at, field.from), plainField(octets, field, header.text(field)))
    at = field.next
  }
  pieces.push(octets.subarray(at))
  return Buffer.concat(pieces)
}

function isUtf8(octets: Buffer): boolean {
  return !octets.toString('utf8').includes('\ufffd') || octets.includes('\ufffd')
}

function plainField(octets: Buffer, field: Field, value: string): Uint8Array {
  const raw = octets.subarray(field.from, field.next)
  if (!BEYOND_ASCII.test(raw.toString('latin1'))) return raw
  const name = octets.toString('latin1', field.from, field.valueFrom - 1).trim()
  return Buffer.from(plainText(name, field.name, value), 'latin1')
}

/** How a field is read, as far as that matters for what it has beyond ASCII. */
export function kindOfField(name: string): 'text' | 'addresses' | 'parameters' | undefined {
  if (TEXTS.test(name)) return 'text'
  if (ADDRESSES.test(name)) return 'addresses'
  return PARAMETERS.test(name) ? 'parameters' : undefined
}

/** The field in ASCII; '' where that cannot be (§2.4). */
function plainText(name: string, field: string, value: string): string {
  const kind = kindOfField(field)
  if (kind === 'text') return formatText(name, value)
  if (kind === 'addresses') {
    const { entries, fault } = parseAddressList(value)
    if (fault !== undefined) return ''
    return formatField(name, formatAddressList(entries.map(plainEntry))) ?? ''
  }
  if (kind === 'parameters') {
    const said = parametersOf(value).filter(each => !BEYOND_ASCII.test(each))
    // Without its first word it says nothing.
    return said[0]?.includes('=') === false ? (formatField(name, said.join(';')) ?? '') : ''
  }
  return ''
}

/** No address in it is beyond ASCII any more. */
export function plainEntry(entry: Mailbox | Group): Mailbox | Group {
  return 'members' in entry
    ? { ...entry, members: entry.members.map(plainMailbox) }
    : plainMailbox(entry)
}

/** §2.1: the name tells what stood there. */
function plainMailbox({ name, address }: Mailbox): Mailbox {
  const { local, domain } = address
  const shown = `${local}@${domain}`
  if (!BEYOND_ASCII.test(shown)) return { name, address }
  return { name: name === '' ? shown : `${name} ${shown}`, address: NO_ADDRESS }
}

/** What stands between semicolons, but for those in quotes. */
export function parametersOf(value: string): string[] {
  return Array.from(value.matchAll(/(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/gs), match => match[0])
}
