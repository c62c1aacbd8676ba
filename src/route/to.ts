/**
 * `to` of a rule, as the config has it, made into a route. Names of hops are looked up among those of the
 * config (`outbound.hops`); that they are there has been checked before.
 */
import type { Address } from '../mail/address.ts'
import type { MxEgress, NextHop, Pipe, Route } from './route.ts'

/** What stands behind `to`, and what a rule's way is checked by. */
export type To =
  | 'local'
  | 'mx'
  | 'discard'
  | 'hold'
  | { readonly hop: readonly string[] }
  | { readonly hold: string }
  | { readonly pipe: Pipe }
  | { readonly maildir: string }
  | { readonly mbox: string }
  | { readonly reject: { readonly status: `5.${number}.${number}`; readonly text: string } }

/** A configured hop: a host, or the way to the domains' own hosts. */
export type NamedHop =
  | { readonly kind: 'host'; readonly hop: NextHop }
  | { readonly kind: 'mx'; readonly egress: MxEgress }

export type Hops = ReadonlyMap<string, NamedHop>

/** What is done with a recipient, made ready once. */
export function routeTo(to: To, hops: Hops): (recipient: Address) => Route {
  if (to === 'mx') return ({ domain }) => ({ kind: 'mx', domain })
  if (typeof to === 'object' && 'hop' in to) return routeByHops(to.hop, hops)
  const route = fixed(to)
  return () => route
}

function fixed(to: Exclude<To, 'mx' | { readonly hop: readonly string[] }>): Route {
  if (to === 'local' || to === 'discard') return { kind: to }
  if (to === 'hold') return { kind: 'hold', reason: 'held by a rule of the config' }
  if ('hold' in to) return { kind: 'hold', reason: to.hold }
  if ('pipe' in to) return { kind: 'pipe', ...to.pipe }
  if ('maildir' in to) return { kind: 'maildir', path: to.maildir }
  if ('mbox' in to) return { kind: 'mbox', path: to.mbox }
  return { kind: 'reject', ...to.reject }
}

/** By the hops of these names, in order; one without a host (the domain's own hosts) can only be the first. */
export function routeByHops(names: readonly string[], hops: Hops): (recipient: Address) => Route {
  const name = names.join(', ')
  const [first, ...rest] = names.map(one => hops.get(one)).filter(hop => hop !== undefined)
  const others = rest.flatMap(hop => (hop.kind === 'host' ? [hop.hop] : []))
  const more = { name, ...(others.length > 0 && { instead: others }) }
  if (first?.kind !== 'host') {
    const egress = first?.egress
    return ({ domain }) => ({ kind: 'mx', domain, ...(egress && { egress }), ...more })
  }
  const route: Route = { kind: 'smarthost', ...first.hop, ...more }
  return () => route
}
