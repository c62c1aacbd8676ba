/**
 * Which mail goes by loads of its own since something is said of its domain, by a rule of shaping or by an operator
 * (shape/limits.ts), though one hop takes it with that of other domains. Asked by worker.ts as loads are made, and by
 * smtp.ts of those that were made before it was said.
 */
import { canonicalDomain } from '../account/address.ts'
import { parseStoredAddress } from '../mail/address.ts'
import { type Route, routeKey } from '../route/route.ts'
import { domainLane, type Gates, type Wait } from '../shape/gates.ts'
import type { Limits } from '../shape/limits.ts'
import type { Load } from './transport.ts'

/** Kinds of routes that lead to no place of the recipient's domain, or only when that asks. */
const STAYS: Partial<Record<Route['kind'], true>> = {
  local: true,
  onDemand: true,
  discard: true,
  hold: true,
  reject: true,
  undecided: true,
}

/** Whether nothing goes out by this way, or only when its customer asks. */
export function stays({ kind }: Route): boolean {
  return STAYS[kind] === true
}

/** The domain of an address, where its mail is told apart by this way. Usually no domain is, and this costs nothing. */
export function apartOf(limits: Limits, address: string, route: Route): string | undefined {
  if (!limits.apartAny || stays(route)) return undefined
  const domain = canonicalDomain(parseStoredAddress(address).domain)
  return limits.apart(domain) ? domain : undefined
}

/** Why a load goes back though its hop takes mail: a domain of it was suspended meanwhile, and is to be parted from it. */
export function toBeParted(
  gates: Gates | undefined,
  { domain, envelope }: Pick<Load, 'domain' | 'envelope'>,
  route: Route,
): Wait | undefined {
  if (!gates?.closesDomains || domain !== undefined) return undefined
  const some = envelope.recipients.some(({ forwardPath }) =>
    gates.closed(domainLane(canonicalDomain(forwardPath.domain))),
  )
  const reason = 'a domain of its recipients was suspended; those of others go on'
  return some ? { lane: routeKey(route), status: '4.7.0', reason } : undefined
}
