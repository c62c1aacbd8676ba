/**
 * A mailbox address (RFC 5321 §4.1.2, RFC 6531 §3.3) and its two written forms.
 *
 * `local` is the decoded local-part: quotes and backslashes of a quoted-string are gone, so that
 * `"joe"@x` and `joe@x` are one address (RFC 5321 §4.1.2). `domain` is a lower-case domain, or an
 * address literal in its brackets, or '' for the bare `<postmaster>` of §4.1.1.3. Parsing lives
 * in smtp/path.ts and message/address-list.ts; this room knows only the noun.
 */
export interface Address {
  readonly local: string
  readonly domain: string
}

/** Dot-atom of RFC 5321 §4.1.2 with the UTF8-non-ascii of RFC 6531 §3.3. Linear: no backtracking. */
const DOT_STRING =
  /^[\w!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u0080-\u{10ffff}]+)*$/u

/** The atext of RFC 5321 §4.1.2 as a table of ASCII codes. */
const ATEXT = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  if (DOT_STRING.test(String.fromCharCode(code))) ATEXT[code] = 1
}

/** Whether a local part needs no quotes. Most are told by a look into a table; the others by the grammar. */
function isDotString(local: string): boolean {
  for (let i = 0; i < local.length; i++) {
    if (ATEXT[local.charCodeAt(i)] !== 1) return DOT_STRING.test(local)
  }
  return local !== ''
}

/** The address as it stands on the wire, without angle brackets; quotes the local part if it must. */
export function formatAddress(address: Address): string {
  const local = isDotString(address.local)
    ? address.local
    : `"${address.local.replace(/["\\]/g, '\\$&')}"`
  return address.domain === '' ? local : `${local}@${address.domain}`
}

/** `<address>`, or `<>` for null. */
export function formatPath(address: Address | null): string {
  return address === null ? '<>' : `<${formatAddress(address)}>`
}

/** True where no octet of the address needs SMTPUTF8 (RFC 6531 §3.2). */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Undoes `formatAddress` for text the store kept: no validation beyond the last unquoted '@'. */
export function parseStoredAddress(text: string): Address {
  if (text.startsWith('"')) {
    const end = text.lastIndexOf('"')
    return { local: text.slice(1, end).replace(/\\(.)/gsu, '$1'), domain: text.slice(end + 2) }
  }
  const at = text.lastIndexOf('@')
  return at < 0
    ? { local: text, domain: '' }
    : { local: text.slice(0, at), domain: text.slice(at + 1) }
}
