/**
 * Addresses as the outbound side needs them: out of the brackets of a literal (RFC 5321 §4.1.3),
 * and whether mail can be sent to one at all. Used by transport/hosts.ts.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net'

/** The address in `[192.0.2.1]`, `[IPv6:2001:db8::1]`, or bare; undefined for anything else. */
export function parseLiteral(text: string): string | undefined {
  if (isIP(text) !== 0) return text
  if (!text.startsWith('[') || !text.endsWith(']')) return undefined
  const inner = text.slice(1, -1)
  if (/^ipv6:/i.test(inner)) return isIPv6(inner.slice(5)) ? inner.slice(5) : undefined
  return isIPv4(inner) ? inner : undefined
}

/**
 * False for addresses that name no single host: "this network" (which many systems take for the
 * host itself), multicast, broadcast (RFC 1122 §3.2.1.3, RFC 4291 §2.4), in either family or
 * mapped from one to the other.
 */
export function usableAddress(address: string): boolean {
  if (isIPv4(address)) {
    const first = Number(address.slice(0, address.indexOf('.')))
    return first !== 0 && first < 224
  }
  if (!isIPv6(address) || address.includes('%')) return false
  const lower = address.toLowerCase()
  const mapped = /^(?:::|0:0:0:0:0:)(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(lower)?.[1]
  if (mapped !== undefined) return usableAddress(mapped)
  return !lower.startsWith('ff') && !/^[0:]+$/.test(lower)
}
