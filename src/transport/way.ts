/**
 * The ways of a route, in the order they are tried: whose hosts are looked up, and how they are spoken to.
 * Made by transport/smtp.ts for each attempt from the route and what holds for all; it looks nothing up.
 */
import { isIP, isIPv4 } from 'node:net'
import {
  type AddressFamily,
  type EightBit,
  type HopLogin,
  hopsOf,
  type MxEgress,
  type NextHop,
  type RemoteRoute,
} from '../route/route.ts'
import type { Random } from '../world/random.ts'
import { type MxTls, type TlsPolicy, tlsPolicy } from './tls-policy.ts'

export interface Way {
  /** A domain by its MX hosts, or one host. */
  readonly to: { readonly domain: string } | { readonly host: string }
  readonly port: number
  readonly protocol: 'smtp' | 'lmtp'
  readonly tls: TlsPolicy
  readonly pins?: readonly string[]
  readonly login?: HopLogin
  /** What we call ourselves in EHLO. */
  readonly hostname: string
  readonly sourceAddresses: readonly string[]
  readonly family: AddressFamily
  readonly eightBit: EightBit
  readonly without: readonly string[]
  readonly xforward: boolean
}

/** What holds where a route says nothing else. */
export interface WayDefaults {
  readonly hostname: string
  readonly port: number
  readonly tls: MxTls
  readonly sourceAddresses: readonly string[]
  readonly addressFamily: AddressFamily
  readonly eightBit: EightBit
}

/** The fixed hops of a route, in the order in which this attempt tries them. */
export function hopsInTurn(route: RemoteRoute, random: Random): readonly NextHop[] {
  return byWeight(hopsOf(route), random)
}

/**
 * @param hops as `hopsInTurn` gave them
 * @param tlsOptional of this message, whatever the settings say of MX hosts (RFC 8689 §5)
 */
export function waysOf(
  route: RemoteRoute,
  hops: readonly NextHop[],
  defaults: WayDefaults,
  tlsOptional: boolean,
): readonly Way[] {
  const ways = hops.map(hop => byHop(hop, defaults))
  if (route.kind === 'smarthost') return ways
  return [byMx(route.domain, route.egress, defaults, tlsOptional), ...ways]
}

function byMx(
  domain: string,
  egress: MxEgress = {},
  defaults: WayDefaults,
  tlsOptional: boolean,
): Way {
  const tls = tlsOptional ? 'opportunistic' : (egress.tls ?? defaults.tls)
  return {
    to: { domain },
    port: egress.port ?? defaults.port,
    protocol: 'smtp',
    tls: tlsPolicy(tls),
    xforward: false,
    ...outwards(egress, defaults),
  }
}

function byHop(hop: NextHop, defaults: WayDefaults): Way {
  const { host, port, protocol = 'smtp', tls, pins, login, xforward = false } = hop
  return {
    to: { host },
    port,
    protocol,
    tls: tlsPolicy(tls),
    ...(pins && { pins }),
    ...(login && { login }),
    xforward,
    ...outwards(hop, defaults),
  }
}

function outwards(egress: MxEgress | NextHop, defaults: WayDefaults) {
  const { hostname, eightBit, addressFamily, without = [] } = { ...defaults, ...egress }
  const sourceAddresses = egress.sourceAddresses ?? defaults.sourceAddresses
  const family = familyOf(sourceAddresses, addressFamily)
  return { hostname, eightBit, without, sourceAddresses, family }
}

/** A family that we have no address of is not looked up. */
function familyOf(sources: readonly string[], wanted: AddressFamily): AddressFamily {
  if (sources.length === 0) return wanted
  if (sources.every(address => isIPv4(address))) return 'ipv4'
  return sources.some(address => isIPv4(address)) ? wanted : 'ipv6'
}

/**
 * The address to connect from: undefined where any will do, null where none of ours reaches the host.
 * A Unix socket has no source.
 */
export function sourceFor(
  { sourceAddresses }: Way,
  address: string,
  random: Random,
): string | undefined | null {
  const family = isIP(address)
  if (sourceAddresses.length === 0 || family === 0) return undefined
  const fitting = sourceAddresses.filter(source => isIP(source) === family)
  return fitting.length === 0 ? null : (fitting[random.below(fitting.length)] ?? null)
}

/**
 * Neighbours that all have a weight in an order of chance: each stands first as often as its weight is of
 * theirs. The others stay where they are.
 */
export function byWeight(hops: readonly NextHop[], random: Random): readonly NextHop[] {
  if (hops.length < 2 || !hops.some(hop => hop.weight !== undefined)) return hops
  const ordered: NextHop[] = []
  for (let at = 0; at < hops.length; ) {
    const end = hops.findIndex((hop, i) => i >= at && hop.weight === undefined)
    const neighbours = hops.slice(at, end < 0 ? hops.length : Math.max(end, at + 1))
    ordered.push(...drawn(neighbours, random))
    at += neighbours.length
  }
  return ordered
}

function drawn(hops: readonly NextHop[], random: Random): readonly NextHop[] {
  const left = [...hops]
  const order: NextHop[] = []
  while (left.length > 1) {
    const all = left.reduce((sum, { weight = 1 }) => sum + weight, 0)
    let ticket = random.below(all)
    let at = 0
    for (const { weight = 1 } of left) {
      ticket -= weight
      if (ticket < 0) break
      at++
    }
    order.push(...left.splice(at, 1))
  }
  return [...order, ...left]
}
