/**
 * Where a recipient goes: the first rule of the config that matches, else what is built in. The one function
 * that decides, for mail that is carried as for who asks why (`postrider explain`): asked with a list, it
 * also says which rules were passed over, and why.
 */
import type { Address } from '../mail/address.ts'
import type { Condition, Facts, Need } from './match.ts'
import type { Route } from './route.ts'

/** One rule, ready to be asked. */
export interface Rule {
  /** Its place in the config: 'routes[2]'. */
  readonly place: string
  readonly conditions: readonly Condition[]
  to(recipient: Address): Route
}

/** All that decides, of one epoch. */
export interface RouteRules {
  readonly rules: readonly Rule[]
  /** Behind the rules for our own domains and customers: hops that are used for some senders. */
  readonly bySender: readonly Rule[]
  /** Whether mail for this domain ends here. */
  isLocal(domain: string): boolean
  /** Whether mail for this domain waits until it is asked for. */
  isOnDemand(domain: string): boolean
  /** Where everything else goes, if not to its own hosts. */
  readonly smarthost?: Extract<Route, { readonly kind: 'smarthost' }>
}

export type Decision =
  | {
      readonly kind: 'decided'
      readonly route: Route
      /** What in the config decided: 'routes[2]', 'domains', 'outbound.smarthost' ... */
      readonly by: string
    }
  /** A rule asks for what is not known yet. */
  | { readonly kind: 'needs'; readonly need: Need; readonly by: string }

/** A rule that did not match, and the condition that did not hold. */
export interface Passed {
  readonly place: string
  readonly condition: string
  readonly wanted: string
  readonly found: string
}

const LOCAL: Route = { kind: 'local' }

/** @param passed takes down the rules that were passed over */
export function decide(rules: RouteRules, facts: Facts, passed?: Passed[]): Decision {
  const { recipient } = facts
  const { domain } = recipient
  // RFC 5321 §4.5.1: postmaster without a domain is here, whatever rules say.
  if (domain === '') return decided(LOCAL, 'postmaster')
  const byRule = firstOf(rules.rules, facts, passed)
  if (byRule) return byRule
  if (rules.isLocal(domain)) return decided(LOCAL, 'domains')
  if (rules.isOnDemand(domain)) return decided({ kind: 'onDemand', domain }, 'onDemand')
  const bySender = firstOf(rules.bySender, facts, passed)
  if (bySender) return bySender
  if (rules.smarthost) return decided(rules.smarthost, 'outbound.smarthost')
  return decided({ kind: 'mx', domain }, 'mx')
}

function decided(route: Route, by: string): Decision {
  return { kind: 'decided', route, by }
}

/** The first rule that matches; or the need of the first that nobody can tell of. */
function firstOf(
  rules: readonly Rule[],
  facts: Facts,
  passed: Passed[] | undefined,
): Decision | undefined {
  for (const { place, conditions, to } of rules) {
    const failing = failingOf(conditions, facts)
    if (failing === undefined) {
      const route = to(facts.recipient)
      if (route.kind !== 'hold' || !facts.released) return decided(route, place)
      passed?.push({ place, condition: 'to', wanted: 'hold', found: 'let go by the operator' })
      continue
    }
    if (failing.need) return { kind: 'needs', need: failing.need, by: place }
    const { name, text, shown } = failing.condition
    passed?.push({ place, condition: name, wanted: text, found: shown(facts) })
  }
  return undefined
}

/** The condition that does not hold; else the one that nobody can tell of; undefined where all hold. */
function failingOf(
  conditions: readonly Condition[],
  facts: Facts,
): { readonly condition: Condition; readonly need?: Need } | undefined {
  let unknown: { readonly condition: Condition; readonly need: Need } | undefined
  for (const condition of conditions) {
    const holds = condition.holds(facts)
    if (holds === false) return { condition }
    if (holds !== true) unknown ??= { condition, need: holds }
  }
  return unknown
}
