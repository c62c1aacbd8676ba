/**
 * IP addresses and networks as octets: whose address is meant, and whether it lies in a network that
 * an operator trusts. Called where a connection comes in, by XCLIENT, and by the settings. IPv4 is
 * kept as its mapped IPv6 form, so that there is one length and one comparison.
 */

/** An address block: the first `bits` of 128 count. */
export interface Network {
  readonly octets: Uint8Array
  readonly bits: number
}

const IPV4_BITS = 96
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const

/** The 16 octets of an address, or undefined where the text is none. A zone index is none. */
export function parseIp(text: string): Uint8Array | undefined {
  if (!text.includes(':')) {
    const last = parseIpv4(text)
    return last && Uint8Array.from([...MAPPED, ...last])
  }
  const halves = text.split('::')
  if (text.length > 45 || halves.length > 2) return undefined
  // An IPv4 address stands at the very end, not before `::`.
  if (halves.length === 2 && halves[0]?.includes('.')) return undefined
  const [front, back] = halves.map(groupsOf)
  if (front === undefined) return undefined
  if (halves.length === 1) return front.length === 16 ? Uint8Array.from(front) : undefined
  if (back === undefined || front.length + back.length > 14) return undefined
  const zeros = Array<number>(16 - front.length - back.length).fill(0)
  return Uint8Array.from([...front, ...zeros, ...back])
}

/** The octets of groups with colons between; the last group may be an IPv4 address (RFC 4291 §2.2). */
function groupsOf(text: string): number[] | undefined {
  const octets: number[] = []
  const groups = text === '' ? [] : text.split(':')
  for (const [at, group] of groups.entries()) {
    if (at === groups.length - 1 && group.includes('.')) {
      const last = parseIpv4(group)
      if (last === undefined) return undefined
      octets.push(...last)
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      octets.push(value >> 8, value & 0xff)
    }
  }
  return octets
}

/** Four decimal numbers without leading zeros, which some read as octal. */
function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  const right = (part: string) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255
  return parts.length === 4 && parts.every(right) ? parts.map(Number) : undefined
}

/** An address of 4 or 16 octets as text: dotted for IPv4, mapped or not, else by RFC 5952 §4. */
export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  if (MAPPED.every((octet, at) => octets[at] === octet)) return octets.subarray(12).join('.')
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) {
    groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16))
  }
  const runs = groups.join(':').match(/(?:^|(?<=:))0(?::0)+(?=:|$)/g) ?? []
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  if (longest === '') return groups.join(':')
  const count = (longest.length + 1) / 2
  const from = groups.findIndex((_, at) => groups.slice(at, at + count).join(':') === longest)
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + count).join(':')}`
}

/** `192.0.2.0/24`, `2001:db8::/32`, or an address alone; undefined where it is no network. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const octets = parseIp(address)
  if (octets === undefined) return undefined
  const before = address.includes(':') ? 0 : IPV4_BITS
  const bits = length === undefined ? 128 : Number(length) + before
  return bits > 128 ? undefined : { octets, bits }
}

/** The network with all bits off that do not count: `10.0.0.0/8` for `10.1.2.3/8`. */
export function baseOf({ octets, bits }: Network): Network {
  return { octets: octets.map((octet, at) => octet & mask(bits - at * 8)), bits }
}

export function formatNetwork({ octets, bits }: Network): string {
  const text = formatIp(octets)
  if (text.includes(':')) return `${text}/${bits}`
  // One that is wider than all of IPv4 is of IPv6, whatever address it is written by.
  return bits < IPV4_BITS ? `::ffff:${text}/${bits}` : `${text}/${bits - IPV4_BITS}`
}

/** Whether an address lies in one of the networks; what is no IP address lies in none. */
export function isWithin(address: string, networks: readonly Network[]): boolean {
  if (networks.length === 0) return false
  if (address !== lastAsked) {
    lastOctets = parseIp(address)
    lastAsked = address
  }
  const octets = lastOctets
  return octets !== undefined && networks.some(network => contains(network, octets))
}

/** The address that was asked about last: of one connection it is asked several times. */
let lastAsked = ''
let lastOctets: Uint8Array | undefined

function contains({ octets, bits }: Network, address: Uint8Array): boolean {
  for (let at = 0; at * 8 < bits; at++) {
    const differs = (octets[at] as number) ^ (address[at] as number)
    if ((differs & mask(bits - at * 8)) !== 0) return false
  }
  return true
}

/** The mask of one octet of which `bits` count. */
function mask(bits: number): number {
  if (bits >= 8) return 0xff
  return bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff
}
