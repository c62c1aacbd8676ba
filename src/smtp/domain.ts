/**
 * Domains and address literals on the wire (RFC 5321 §4.1.2, §4.1.3; U-labels by RFC 6531 §3.3).
 * Called by path.ts and by HELO. Domains come out lower-case (RFC 5321 §2.4); literals too.
 */

/** RFC 1035 §2.3.4 and RFC 5321 §4.5.3.1.2. */
const LABEL_MAX = 63
const DOMAIN_MAX = 255

export interface Parsed {
  readonly text: string
  /** Index behind what was read. */
  readonly next: number
}

/**
 * Reads the longest domain at `at`; undefined where there is none or it is too long.
 *
 *     Domain     = sub-domain *("." sub-domain)
 *     sub-domain = Let-dig [Ldh-str] / U-label
 */
export function parseDomain(text: string, at: number): Parsed | undefined {
  let next = at
  let label = at
  let wide = false
  for (; next < text.length; next++) {
    const code = text.charCodeAt(next)
    if (code === 0x2e || code === 0x2d) {
      if (next === label) return undefined
      if (code === 0x2d) continue
      if (!endsLabel(text, label, next)) return undefined
      label = next + 1
    } else if (code >= 0xa0) wide = true
    else if (!isLetDig(code)) break
  }
  if (next === label || !endsLabel(text, label, next)) return undefined
  const domain = text.slice(at, next).toLowerCase()
  const octets = wide ? Buffer.byteLength(domain) : domain.length
  return octets > DOMAIN_MAX ? undefined : { text: domain, next }
}

/** A label of at most 63 characters that does not end with a hyphen. */
function endsLabel(text: string, from: number, to: number): boolean {
  return to - from <= LABEL_MAX && text.charCodeAt(to - 1) !== 0x2d
}

function isLetDig(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a)
  )
}

/**
 * Reads `[...]` at `at`. The General-address-literal has no registered tag, so it is refused.
 *
 *     address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]"
 *     IPv6-address-literal = "IPv6:" IPv6-addr
 */
export function parseLiteral(text: string, at: number): Parsed | undefined {
  const end = text.indexOf(']', at)
  // The longest literal is [IPv6:ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255].
  if (text[at] !== '[' || end < 0 || end - at > 60) return undefined
  const inner = text.slice(at + 1, end).toLowerCase()
  const ok = inner.startsWith('ipv6:') ? isIpv6(inner.slice(5)) : isIpv4(inner)
  return ok ? { text: `[${inner}]`, next: end + 1 } : undefined
}

/** IPv4-address-literal = Snum 3("." Snum), Snum = 1*3DIGIT of 0 to 255. */
function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255)
}

/**
 *     IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp
 *
 * `::` stands for two groups or more, so that at most 6 others are written (4 before an IPv4 part).
 */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  let full = 8
  if (groups.at(-1)?.includes('.')) {
    // The IPv4 part stands at the very end, not before `::`.
    if (halves.length === 2 && halves[1] === '') return false
    if (!isIpv4(groups.pop() ?? '')) return false
    full = 6
  }
  if (!groups.every(group => /^[0-9a-f]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length <= full - 2 : groups.length === full
}
