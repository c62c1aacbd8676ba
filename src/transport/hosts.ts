/**
 * Which hosts take the mail of a domain, and in which order they are tried (RFC 5321 §5).
 *
 * Asked by transport/smtp.ts for every new connection. Everything that can go wrong here is a
 * value: a domain without mail is `failed`, a name server without an answer is `deferred`. It
 * opens no connection, and however many records a domain publishes it makes a bounded number of
 * look-ups and gives a bounded number of addresses.
 */
import { domainToASCII } from 'node:url'
import type { AddressFamily } from '../route/route.ts'
import type { Dns, MxRecord } from '../world/dns.ts'
import { type Random, shuffle } from '../world/random.ts'
import { parseLiteral, usableAddress } from './address-literal.ts'

/** One address of one host; `name` is what we call it in reports and ask for in TLS. */
export interface Host {
  readonly name: string
  readonly address: string
}

export type Located =
  /**
   * At least one host, in the order to try. `equals`: the names of those that are preferred most, where they are
   * several: none of them is to have more than its share (RFC 5321 §5.1).
   */
  | { readonly kind: 'hosts'; readonly hosts: readonly Host[]; readonly equals?: readonly string[] }
  | { readonly kind: 'deferred' | 'failed'; readonly status: string; readonly reason: string }

export interface LocateSettings {
  /** True for a name by which we are known, or for an address we listen on. */
  isOurself(name: string, address?: string): boolean
  /** MX hosts whose addresses are looked up. */
  readonly hostsMax: number
  /** Addresses given in all. */
  readonly addressesMax: number
  /** Which addresses of a name count, and in which order; 'any' if not given. */
  readonly family?: AddressFamily
}

export interface LocateWorld {
  readonly dns: Dns
  readonly random: Random
}

type AddressDns = Pick<Dns, 'ipv4' | 'ipv6'>

/** Addresses of one name, or why there are none. */
type Resolved =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'none'; readonly exists: boolean }
  /** It has addresses, but only of the family that we do not go by. */
  | { readonly kind: 'apart'; readonly addresses: readonly string[] }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * The hosts of a mail domain (RFC 5321 §5.1): its MX hosts by preference, at random among equals;
 * without MX records the domain itself; for an address literal that address.
 */
export async function locateDomain(
  world: LocateWorld,
  domain: string,
  settings: LocateSettings,
): Promise<Located> {
  if (domain.startsWith('[')) return locateLiteral(domain, settings)
  const name = asciiName(domain)
  if (name === undefined) return failed('5.1.2', `${domain} is not a domain name`)
  const mx = await world.dns.mx(name)
  switch (mx.kind) {
    case 'missing':
      return failed('5.1.2', `the domain ${domain} does not exist`)
    case 'failed':
      // §5.1: a failed MX look-up must not be taken for a domain without MX records.
      return deferred('4.4.3', `the mail hosts of ${domain} cannot be looked up: ${mx.reason}`)
    case 'empty':
      return locateNames(world, domain, [{ preference: 0, exchange: name }], settings)
    case 'found':
      return locateExchanges(world, domain, mx.records, settings)
  }
}

/** The addresses of a fixed next hop: a name without MX look-up, an address, a literal, or a Unix socket. */
export async function locateHost(
  world: LocateWorld,
  host: string,
  addressesMax: number,
  family: AddressFamily = 'any',
): Promise<Located> {
  if (host.startsWith('/')) return { kind: 'hosts', hosts: [{ name: host, address: host }] }
  const literal = parseLiteral(host)
  if (literal !== undefined) return { kind: 'hosts', hosts: [{ name: host, address: literal }] }
  const name = asciiName(host)
  if (name === undefined) return deferred('4.4.4', `${host} is not a host name`)
  const resolved = await resolve(isLocalhost(name) ? LOOPBACK : world.dns, name, family)
  if (resolved.kind === 'unknown') {
    return deferred('4.4.3', `the address of ${host} cannot be looked up: ${resolved.reason}`)
  }
  if (resolved.kind === 'apart') return apart(host, family)
  // Our own next hop is missing: a mistake of ours, so the mail waits until it is mended.
  if (resolved.kind === 'none') return deferred('4.4.4', `the host ${host} has no address`)
  const hosts = resolved.addresses.slice(0, addressesMax).map(address => ({ name: host, address }))
  return { kind: 'hosts', hosts }
}

function locateLiteral(domain: string, settings: LocateSettings): Located {
  const address = parseLiteral(domain)
  if (address === undefined || !usableAddress(address)) {
    return failed('5.1.2', `${domain} is not an address mail can be sent to`)
  }
  if (settings.isOurself(domain, address)) return looping(domain)
  return { kind: 'hosts', hosts: [{ name: domain, address }] }
}

async function locateExchanges(
  world: LocateWorld,
  domain: string,
  records: readonly MxRecord[],
  settings: LocateSettings,
): Promise<Located> {
  const usable = new Map<string, MxRecord>()
  for (const record of records) {
    const exchange = exchangeName(record.exchange)
    if (exchange === undefined) continue
    // A name listed twice counts once, where it is most preferred.
    const known = usable.get(exchange)
    if (known !== undefined && known.preference <= record.preference) continue
    usable.set(exchange, { preference: record.preference, exchange })
  }
  if (usable.size === 0) {
    // RFC 7505 §3: a lone MX record of '.' says that the domain takes no mail at all.
    if (records.every(record => bareName(record.exchange) === '')) {
      return failed('5.1.10', `the domain ${domain} does not accept mail (null MX)`)
    }
    return failed('5.4.4', `none of the mail hosts of ${domain} can be used`)
  }
  // §5.1: sorted by preference, and the load spread at random among equals (the sort is stable).
  const sorted = shuffle(world.random, [...usable.values()]).sort(
    (one, other) => one.preference - other.preference,
  )
  return locateNames(world, domain, sorted, settings)
}

/** Resolves sorted hosts; drops ourselves and every host not strictly better than us. */
async function locateNames(
  world: LocateWorld,
  domain: string,
  sorted: readonly MxRecord[],
  settings: LocateSettings,
): Promise<Located> {
  const byName = sorted.find(record => settings.isOurself(record.exchange))?.preference
  const candidates = sorted
    .filter(record => byName === undefined || record.preference < byName)
    .slice(0, settings.hostsMax)
  const { family } = settings
  const resolved = await Promise.all(
    candidates.map(record => resolve(world.dns, record.exchange, family)),
  )
  let limit = byName ?? Number.POSITIVE_INFINITY
  let unknown: string | undefined
  const hosts: (Host & { readonly preference: number })[] = []
  for (const [at, { preference, exchange }] of candidates.entries()) {
    const answer = resolved[at]
    if (answer?.kind === 'unknown') unknown ??= `${exchange}: ${answer.reason}`
    if (answer?.kind !== 'addresses') continue
    for (const address of answer.addresses) {
      if (settings.isOurself(exchange, address)) limit = Math.min(limit, preference)
      else if (usableAddress(address)) hosts.push({ name: exchange, address, preference })
    }
  }
  const chosen = hosts.filter(host => host.preference < limit).slice(0, settings.addressesMax)
  if (chosen.length > 0) return inOrderOf(chosen)
  if (unknown !== undefined) {
    return deferred('4.4.3', `no address of a mail host of ${domain} can be looked up: ${unknown}`)
  }
  // §5.1: had we been left out of the list, the mail would come back to us for ever.
  if (limit !== Number.POSITIVE_INFINITY) return looping(domain)
  const at = resolved.findIndex(
    answer => answer.kind === 'apart' && answer.addresses.some(usableAddress),
  )
  if (at >= 0) return apart(candidates[at]?.exchange ?? domain, family)
  const exists = resolved.some(answer => answer.kind !== 'none' || answer.exists)
  return exists || sorted.length > 1
    ? failed('5.4.4', `no mail host of ${domain} has an address`)
    : failed(
        '5.4.4',
        `${sorted[0]?.exchange ?? domain}, the mail host of ${domain}, does not exist`,
      )
}

function inOrderOf(chosen: readonly (Host & { readonly preference: number })[]): Located {
  const hosts = chosen.map(({ name, address }) => ({ name, address }))
  const first = chosen.filter(host => host.preference === chosen[0]?.preference)
  const equals = [...new Set(first.map(({ name }) => name))]
  return { kind: 'hosts', hosts, ...(equals.length > 1 && { equals }) }
}

const NOT_ASKED = { kind: 'empty' } as const

/** RFC 6761 §6.3: this machine, whatever name servers say of it; most say nothing. */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost')
}

const LOOPBACK: AddressDns = {
  ipv4: async () => ({ kind: 'found', records: ['127.0.0.1'] }),
  ipv6: async () => ({ kind: 'found', records: ['::1'] }),
}

/** AAAA and A of a name; as usual taken in turn, so that one broken family does not starve the other. */
async function resolve(
  dns: AddressDns,
  name: string,
  family: AddressFamily = 'any',
): Promise<Resolved> {
  const [six, four] = await Promise.all([
    family === 'ipv4' ? NOT_ASKED : dns.ipv6(name),
    family === 'ipv6' ? NOT_ASKED : dns.ipv4(name),
  ])
  const sixes = six.kind === 'found' ? six.records : []
  const fours = four.kind === 'found' ? four.records : []
  const addresses = inOrder(sixes, fours, family)
  if (addresses.length > 0) return { kind: 'addresses', addresses }
  // Many name servers fail on AAAA alone; with no address at all we cannot know, so mail waits.
  if (four.kind === 'failed') return { kind: 'unknown', reason: four.reason }
  if (six.kind === 'failed') return { kind: 'unknown', reason: six.reason }
  // Only where there is nothing else: that it has addresses is no news to whoever can reach it.
  const other =
    family === 'ipv4' ? await dns.ipv6(name) : family === 'ipv6' ? await dns.ipv4(name) : NOT_ASKED
  if (other.kind === 'found') return { kind: 'apart', addresses: other.records }
  return { kind: 'none', exists: six.kind !== 'missing' || four.kind !== 'missing' }
}

/** What has an address that we cannot use from where we are is not nowhere: it waits until we can, or is given up by age. */
function apart(host: string, family: AddressFamily | undefined): Located {
  const [theirs, ours] = family === 'ipv4' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6']
  const reason = `${host} has ${theirs} addresses alone, and we go out by ${ours} alone`
  return deferred('4.4.1', reason)
}

function inOrder(
  sixes: readonly string[],
  fours: readonly string[],
  family: AddressFamily,
): readonly string[] {
  if (family === 'ipv4-first') return [...fours, ...sixes]
  if (family === 'ipv6-first') return [...sixes, ...fours]
  const addresses: string[] = []
  for (let i = 0; i < Math.max(sixes.length, fours.length); i++) {
    const six = sixes[i]
    const four = fours[i]
    if (six !== undefined) addresses.push(six)
    if (four !== undefined) addresses.push(four)
  }
  return addresses
}

/** A domain as DNS spells it: A-labels (RFC 5891), lower case; undefined where it cannot be one. */
function asciiName(domain: string): string | undefined {
  const name = bareName(domainToASCII(domain))
  return name === '' || !withinLimits(name) ? undefined : name
}

function bareName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}

/** The exchange of an MX record, if it can be a host name (RFC 5321 §5.1: not an address). */
function exchangeName(exchange: string): string | undefined {
  const name = bareName(exchange)
  if (!withinLimits(name) || !name.split('.').every(isHostLabel)) return undefined
  // An address written where a name belongs: its last label is a number (RFC 3696 §2).
  return /(?:^|\.)\d+$/.test(name) ? undefined : name
}

/** Letters, digits and inner hyphens (RFC 1123 §2.1). */
function isHostLabel(label: string): boolean {
  return /^[a-z0-9-]+$/.test(label) && !label.startsWith('-') && !label.endsWith('-')
}

/** 63 octets a label and 253 a name (RFC 1035 §2.3.4). */
function withinLimits(name: string): boolean {
  return name.length <= 253 && name.split('.').every(label => label !== '' && label.length <= 63)
}

function looping(domain: string): Located {
  return failed('5.4.6', `mail for ${domain} loops back to ourselves`)
}

function failed(status: string, reason: string): Located {
  return { kind: 'failed', status, reason }
}

function deferred(status: string, reason: string): Located {
  return { kind: 'deferred', status, reason }
}
