/**
 * Whom a limit is about: who holds an address. Of IPv4 that is the address, of IPv6 its /64, which is what
 * one customer has; and the network around it, of whose other addresses he may have some too. What is no
 * IP address (a Unix socket, standard input) is itself.
 */
import { type Network, parseIp } from '../wire/network.ts'

/** Bits that count, of the 128 that each address has (wire/network.ts). */
const HOLDER_BITS = { ipv4: 128, ipv6: 64 } as const

/** Text to count by: the address of IPv4, the first four groups for IPv6. */
export function holderOf(address: string): string {
  return address.includes(':') ? groupsOf(address) : address
}

/** The /24 of IPv4, the /64 of IPv6. */
export function networkOf(address: string): string {
  if (address.includes(':')) return groupsOf(address)
  const end = address.lastIndexOf('.')
  return end < 0 ? address : address.slice(0, end)
}

/** What a ban of an address is of; undefined where it is none. */
export function bannedWith(address: string): Network | undefined {
  const octets = parseIp(address)
  if (octets === undefined) return undefined
  return { octets, bits: HOLDER_BITS[address.includes(':') ? 'ipv6' : 'ipv4'] }
}

function groupsOf(address: string): string {
  const [before = '', after] = address.split('::')
  const front = before === '' ? [] : before.split(':')
  const back = after === undefined || after === '' ? [] : after.split(':')
  const zeros = after === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  return [...front, ...Array<string>(zeros).fill('0'), ...back].slice(0, 4).join(':')
}
