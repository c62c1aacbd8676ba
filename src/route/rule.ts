/** Chooses the route of a recipient: a mailbox here, a customer's call, the smart host, or the domain's own hosts. */
import type { Address } from '../mail/address.ts'
import type { Route } from './route.ts'

export interface RouteRules {
  /** Whether mail for this domain ends here; '' is the bare postmaster. */
  isLocal(domain: string): boolean
  /** Whether mail for this domain waits until it is asked for. */
  isOnDemand(domain: string): boolean
  /** Where everything else goes, if not to its own hosts. */
  readonly smarthost?: Extract<Route, { kind: 'smarthost' }>
}

const LOCAL: Route = { kind: 'local' }

export function chooseRoute(rules: RouteRules, recipient: Address): Route {
  if (recipient.domain === '' || rules.isLocal(recipient.domain)) return LOCAL
  if (rules.isOnDemand(recipient.domain)) return { kind: 'onDemand', domain: recipient.domain }
  return rules.smarthost ?? { kind: 'mx', domain: recipient.domain }
}
