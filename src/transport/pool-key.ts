/** Under which name the connections of a route are kept (pool.ts); asked by smtp.ts for each load. */
import { hopsOf, type NextHop, type RemoteRoute, routeKey } from '../route/route.ts'

/** `tlsOptional`: of this message, whatever the setting says (RFC 8689 §5). */
export type Remote = RemoteRoute & { readonly tlsOptional?: true }

/** Of routes that are an epoch's own: the same object for each of its messages. */
const poolKeys = new WeakMap<Remote, string>()

/**
 * Connections are kept apart where anything about them differs, and by the hop that chance has put first: kept for
 * whoever comes, one connection would have the share of all.
 * @param site of what shares connections by rules of shaping (`Limits.siteOf`)
 */
export function poolKey(route: Remote, hops: readonly NextHop[], site: string): string {
  const key = keyOf(route, hops)
  const gate = routeKey(route)
  return site === gate ? key : `${key}${site.slice(gate.length)}`
}

function keyOf(route: Remote, [first]: readonly NextHop[]): string {
  const plain = route.kind === 'mx' && !route.egress && !route.instead
  if (plain) return `${routeKey(route)}${route.tlsOptional ? ' relaxed' : ''}`
  let key = poolKeys.get(route)
  if (key === undefined) {
    key = JSON.stringify(route)
    poolKeys.set(route, key)
  }
  if (first?.weight === undefined) return key
  return `${key} ${hopsOf(route).indexOf(first)}`
}
