/**
 * The settings' rules and hops, made ready to be asked: once for each epoch. Used by routing.ts, and by
 * whoever explains what the rules do.
 */
import { canonicalDomain } from '../account/address.ts'
import type { RouteRules, Rule } from '../route/decide.ts'
import { conditionsOf, type Match } from '../route/match.ts'
import { glob, matchesGlob, parseAddressPattern } from '../route/pattern.ts'
import {
  type Egress,
  type HopLogin,
  type MxEgress,
  type NextHop,
  routeKey,
} from '../route/route.ts'
import { type Hops, type NamedHop, routeByHops, routeTo, type To } from '../route/to.ts'
import type { LocalDomains } from './local-domains.ts'
import { customerOf } from './on-demand.ts'
import type { Face, HostHop, MxHop, Smarthost } from './settings/hops.ts'
import type { Settings } from './settings/settings.ts'

export interface Rules {
  readonly all: RouteRules
  /** Those alone that ask for nothing but the recipient. */
  readonly byAddress: RouteRules
  /** Whether any of them says `reject`. */
  readonly refuses: boolean
  /** Domains that are not ours and whose mail is taken from anybody. */
  relaysFor(domain: string): boolean
  /** Whether one of them, or `relayDomains`, is for that domain by its name, and not for all there are. */
  names(domain: string): boolean
}

const known = new WeakMap<Settings, Rules>()

/** @param domains the same for one house */
export function rulesOf(settings: Settings, domains: Pick<LocalDomains, 'has'>): Rules {
  const before = known.get(settings)
  if (before !== undefined) return before
  const made = makeRules(settings, domains)
  known.set(settings, made)
  return made
}

function makeRules(settings: Settings, domains: Pick<LocalDomains, 'has'>): Rules {
  const isLocal = (domain: string) => domains.has(domain)
  const hops = hopsOfSettings(settings)
  const rules = settings.routes.map(
    ({ match, to }, at): Rule => ({
      place: `routes[${at}]`,
      conditions: conditionsOf(match as Match, isLocal),
      to: routeTo(to as To, hops),
    }),
  )
  const bySender = Object.entries(settings.outbound.hops).flatMap(([name, { senders }]): Rule[] =>
    senders.length === 0
      ? []
      : [
          {
            place: `outbound.hops.${name}`,
            conditions: conditionsOf({ sender: senders }, isLocal),
            to: routeByHops([name], hops),
          },
        ],
  )
  const { smarthost } = settings.outbound
  const all: RouteRules = {
    rules,
    bySender,
    isLocal,
    isOnDemand: domain => customerOf(settings, domain)?.wait === true,
    ...(smarthost && { smarthost: { kind: 'smarthost', ...nextHop(smarthost) } }),
  }
  const asksAddress = (rule: Rule) => rule.conditions.every(({ name }) => name === 'recipient')
  const refuses = settings.routes.some(({ to }) => typeof to === 'object' && 'reject' in to)
  const relayed = settings.relayDomains.map(name => glob(canonicalDomain(name)))
  const relaysFor = (domain: string) =>
    relayed.length > 0 && relayed.some(name => matchesGlob(name, canonicalDomain(domain)))
  const named = settings.routes
    .flatMap(({ match }) => (match as Match).recipient ?? [])
    .map(pattern => parseAddressPattern(pattern)?.parts?.domain ?? [])
    .filter(domain => domain.some(piece => piece !== ''))
  return {
    all,
    byAddress: { ...all, rules: rules.filter(asksAddress), bySender: [] },
    refuses,
    relaysFor,
    names: domain =>
      relaysFor(domain) || named.some(name => matchesGlob(name, canonicalDomain(domain))),
  }
}

export function hopsOfSettings({ outbound }: Settings): Hops {
  return new Map(
    Object.entries(outbound.hops).map(([name, hop]): [string, NamedHop] => [
      name,
      'host' in hop
        ? { kind: 'host', hop: nextHop(hop) }
        : { kind: 'mx', egress: { ...egressOf(hop), ...mxOf(hop) } },
    ]),
  )
}

function mxOf({ port, tls }: MxHop): MxEgress {
  return { ...(port !== undefined && { port }), ...(tls !== undefined && { tls }) }
}

function nextHop(hop: HostHop | Smarthost): NextHop {
  const { host, port, tls, pins, protocol, xforward } = hop
  const { weight }: Partial<HostHop> = hop
  return {
    host,
    port,
    tls,
    protocol,
    ...(pins && { pins }),
    ...loginOf(hop),
    ...(xforward && { xforward }),
    ...(weight !== undefined && { weight }),
    ...egressOf(hop),
  }
}

function loginOf(hop: HostHop | Smarthost): { readonly login?: HopLogin } {
  const { username = '', password, token, certificate, kerberos: ticket, mechanisms } = hop
  if (password === undefined && token === undefined && !certificate && !ticket) return {}
  const login = {
    username,
    ...(password !== undefined && { password }),
    ...(token !== undefined && { token }),
    ...(certificate && { certificate }),
    ...(ticket && { ticket }),
    ...(mechanisms && { mechanisms }),
  }
  return { login }
}

function egressOf({ hostname, sourceAddress, addressFamily, eightBit, without }: Face): Egress {
  return {
    ...(hostname !== undefined && { hostname }),
    ...(sourceAddress !== undefined && { sourceAddresses: sourceAddress }),
    ...(addressFamily !== undefined && { addressFamily }),
    ...(eightBit !== undefined && { eightBit }),
    ...(without !== undefined && { without }),
  }
}

/** The rules as people read them, in the order they are asked. */
export function describeRoutes(settings: Settings): string[] {
  const { all } = rulesOf(settings, { has: () => false })
  const { rules, bySender, smarthost } = all
  if (rules.length === 0 && bySender.length === 0) return []
  const domain = 'its domain'
  const told = ({ place, conditions, to }: Rule) => {
    const asked = conditions.map(({ name, text }) =>
      name === 'header' ? `header ${text}` : `${name} ${text}`,
    )
    const route = to({ local: '', domain })
    return `${place}: ${asked.join(' and ') || 'all mail'} -> ${routeKey(route)}`
  }
  return [
    ...rules.map(told),
    'else: domains of ours -> local; onDemand -> its customer',
    ...bySender.map(told),
    `else: ${smarthost ? `outbound.smarthost -> ${routeKey(smarthost)}` : `mx:${domain}`}`,
  ]
}
