/**
 * How an address is matched here: one canonical form for every spelling of it.
 *
 * The local part is compared without case and in NFC (RFC 6532 §3.1); RFC 5321 §2.4 leaves that to
 * the final host, which we are. A domain is compared by its A-label form (RFC 5890), so that
 * `bücher.example` and `xn--bcher-kva.example` are one. All rows hold the canonical form.
 */
import { domainToASCII } from 'node:url'
import { type Address, formatAddress, isAscii, parseStoredAddress } from '../mail/address.ts'

/** RFC 5321 §4.5.3.1.1 and .2: octets of a local part and of a domain. */
const LOCAL_MAX_OCTETS = 64
const DOMAIN_MAX_OCTETS = 255

/** Letters, digits, hyphens, dots, and what IDNA may take. Node's conversion reads more than that. */
const DOMAIN_TEXT = /^[a-z0-9.\-\u0080-\u{10ffff}]+$/u
/** A label of a host name (RFC 1123 §2.1), at most 63 octets (RFC 1035 §2.3.4). */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** The form of a local part in which it is compared. */
export function canonicalLocal(local: string): string {
  const lower = local.toLowerCase()
  return isAscii(lower) ? lower : lower.normalize('NFC')
}

/** The A-label form of a domain in lower case; an address literal in lower case. */
export function canonicalDomain(domain: string): string {
  const lower = domain.toLowerCase()
  if (isAscii(lower)) return lower
  // What IDNA refuses stays as it is, and matches nothing: our own domains are checked.
  if (!DOMAIN_TEXT.test(lower)) return lower
  return domainToASCII(lower) || lower
}

/** The address in canonical form. */
export function canonical(address: Address): Address {
  return { local: canonicalLocal(address.local), domain: canonicalDomain(address.domain) }
}

/** The canonical form as the store keeps it: the key of accounts and aliases. */
export function addressKey(address: Address): string {
  return formatAddress(canonical(address))
}

/** An address as a person typed it, in canonical form; what is none stays as it is. */
export function canonicalAddress(text: string): string {
  const checked = checkAddress(text)
  return 'key' in checked ? checked.key : text
}

/** True for two spellings of one address. */
export function sameAddress(a: Address, b: Address): boolean {
  return addressKey(a) === addressKey(b)
}

/**
 * The local part without its detail (RFC 5233): `user` for `user+detail`. Undefined where there is
 * no detail, no separator is in use, or the detail is another host's address in an old spelling
 * (`user+a%host`): whoever probes for a relay is to read a refusal.
 */
export function withoutDetail(local: string, separator: string): string | undefined {
  const at = separator === '' ? -1 : local.indexOf(separator)
  return at > 0 && !/[%!@]/.test(local.slice(at)) ? local.slice(0, at) : undefined
}

/** The mailboxes each of our domains has by default (RFC 5321 §4.5.1, RFC 2142 §2 and §5). */
export function isRole(canonicalLocalPart: string): boolean {
  return canonicalLocalPart === 'postmaster' || canonicalLocalPart === 'abuse'
}

/** A domain as a person typed it, in canonical form; or why it is none. */
export function checkDomain(text: string): { readonly domain: string } | { readonly why: string } {
  const domain = canonicalDomain(text.trim())
  if (domain === '') return { why: 'the domain is empty' }
  if (domain.length > DOMAIN_MAX_OCTETS) return { why: 'the domain is longer than 255 octets' }
  if (!domain.split('.').every(label => LABEL.test(label)))
    return { why: `'${printable(text)}' is not a domain name` }
  return { domain }
}

/** An address that passed `checkAddress`. */
export interface Checked {
  /** Its canonical form, as the store keeps it. */
  readonly key: string
  /** The local part as it was typed, for mail that goes elsewhere (RFC 5321 §2.4). */
  readonly address: Address
}

/** An address as a person typed it; or why it is none. Never a bare name. */
export function checkAddress(text: string): Checked | { readonly why: string } {
  const typed = text.trim()
  const shown = `'${printable(typed)}'`
  if (CONTROL.test(typed) || !typed.isWellFormed())
    return { why: `${shown} has a control character in it` }
  const { local, domain } = parseStoredAddress(typed)
  if (domain === '') return { why: `${shown} has no domain` }
  // What is not quoted must need no quotes (RFC 5321 §4.1.2 Dot-string).
  const quoted = typed.startsWith('"')
  if (local === '' || (!quoted && formatAddress({ local, domain }).startsWith('"')))
    return { why: `${shown} is not an address` }
  if (Buffer.byteLength(local) > LOCAL_MAX_OCTETS)
    return { why: `${shown} has more than 64 octets before the @` }
  const checked = checkDomain(domain)
  if ('why' in checked) return { why: `${shown} is not an address: ${checked.why}` }
  const address = { local, domain: checked.domain }
  return { key: addressKey(address), address }
}

/** Text for a message to people: short, and without control characters. */
function printable(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
  return clean.length > 100 ? `${clean.slice(0, 100)}...` : clean
}
