/**
 * What of shaping holds for a recipient: the rules of the config that match, and what keeps its mail from going just now,
 * as all nodes know it. Asked by explain.ts once the hosts of the way are known; it takes no token and counts nothing.
 */
import { canonicalDomain } from '../../account/address.ts'
import { parseStoredAddress } from '../../mail/address.ts'
import { closedLanes } from '../../queue/lane.ts'
import { isRemote, type Route, routeKey } from '../../route/route.ts'
import { closedReason, domainLane } from '../../shape/gates.ts'
import { matchesRule, ruleLane } from '../../shape/rule.ts'
import { stays } from '../../transport/told-apart.ts'
import type { House } from '../house.ts'
import { shapingRules } from '../shaping-rules.ts'
import type { ExplainedRecipient } from './explained.ts'

export async function explainShaping(
  { settings, store }: House,
  route: Route,
  { address, ways = [] }: Pick<ExplainedRecipient, 'address' | 'ways'>,
): Promise<Pick<ExplainedRecipient, 'shaping' | 'waits'>> {
  if (stays(route)) return {}
  const domain = canonicalDomain(parseStoredAddress(address).domain)
  const hosts = ways.flatMap(way => way.hosts ?? []).map(({ name }) => name)
  const rules = isRemote(route)
    ? shapingRules(settings()).filter(rule => matchesRule(rule, { route, domain }, hosts))
    : []
  const lanes = [routeKey(route), domainLane(domain), ...rules.map(ruleLane)]
  const [closed] = await store.read(closedLanes, lanes)
  return {
    ...(rules.length > 0 && { shaping: rules.map(({ name }) => name) }),
    ...(closed && {
      waits: closedReason({
        state: closed.state === 'down' ? 'down' : 'suspended',
        since: closed.since,
        untilAt: closed.until_at,
        reason: closed.reason ?? '',
      }),
    }),
  }
}
