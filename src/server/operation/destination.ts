/** Destinations as an operator sees and stops them: `destination.*`. */

import { canonicalDomain } from '../../account/address.ts'
import { type LaneRow, laneList, resumeLane, suspendLane } from '../../queue/lane.ts'
import { domainLane } from '../../shape/gates.ts'
import { ruleLane } from '../../shape/rule.ts'
import { ExitError } from '../exit-error.ts'
import type { OperationInput, OperationOutput } from '../operation.ts'
import { shapingRules } from '../shaping-rules.ts'
import type { ControlContext } from './context.ts'
import type { DestinationRecord } from './destination-record.ts'

const LIMIT = 1000

export async function listDestinations(
  context: ControlContext,
  { limit = LIMIT, name }: OperationInput<'destination.list'>,
): Promise<OperationOutput<'destination.list'>> {
  const asked = name === undefined ? [{}] : lanesNamed(context, name).map(lane => ({ name: lane }))
  const found = await Promise.all(asked.map(one => context.store.read(laneList, { limit, ...one })))
  return { destinations: found.flat().map(recordOf) }
}

export async function suspendDestination(
  context: ControlContext,
  { name, forMs, reason = 'suspended by the operator' }: OperationInput<'destination.suspend'>,
): Promise<OperationOutput<'destination.suspend'>> {
  if (!(forMs > 0)) throw new ExitError(64, 'say for how long, such as 2h')
  const [lane] = lanesNamed(context, name)
  const bar = whyNot(context, lane) ?? (await whyDoubtful(context, name, lane))
  if (bar !== undefined) throw new ExitError(64, bar)
  const row = await context.store.write(suspendLane, { name: lane, forMs, status: '4.7.0', reason })
  context.wake()
  const [listed] = await context.store.read(laneList, { limit: 1, name: lane })
  const found = listed ?? (row && { ...row, waiting: 0 })
  if (found === undefined) throw new ExitError(75, `${lane} could not be suspended`)
  return recordOf(found)
}

export async function resumeDestination(
  context: ControlContext,
  { name }: OperationInput<'destination.resume'>,
): Promise<OperationOutput<'destination.resume'>> {
  const lanes = lanesNamed(context, name)
  const resumed: string[] = []
  for (const lane of lanes) {
    if (await context.store.write(resumeLane, { name: lane, now: true })) resumed.push(lane)
  }
  context.wake()
  return { name: resumed[0] ?? lanes[0], resumed: resumed.length > 0 }
}

/**
 * `gmail.com` is a domain, whichever way its mail goes, and its own hosts; `google` may be a rule, and what has a colon
 * is as lists show it. The first is the one that is suspended.
 */
function lanesNamed({ house }: ControlContext, name: string): readonly [string, ...string[]] {
  if (name === '') throw new ExitError(64, 'say which destination, such as example.org')
  if (name.includes(':') && !name.startsWith('[')) return [name]
  const rule = shapingRules(house.settings()).find(one => one.name === name)
  if (rule !== undefined) return [ruleLane(rule)]
  const domain = canonicalDomain(name)
  return [domainLane(domain), `mx:${domain}`]
}

/** Why nothing could ever be kept from it under this name; undefined where it can. */
function whyNot({ house }: ControlContext, lane: string): string | undefined {
  const cut = lane.indexOf(':')
  const [kind, rest] = [lane.slice(0, cut), lane.slice(cut + 1)]
  switch (kind) {
    case 'domain':
      // A rule of the config may lead it out all the same.
      if (house.domains.has(rest) && house.settings().routes.length === 0) {
        return `mail for ${rest} is delivered here: \`queue hold domain:${rest}\` holds what waits`
      }
      return DOMAIN.test(rest) ? undefined : `"${rest}" is no domain`
    case 'mx':
    case 'onDemand':
      return DOMAIN.test(rest) ? undefined : `"${rest}" is no domain`
    case 'host':
    case 'lmtp':
      if (/:\d{1,5}(?: \(.+\))?$/.test(rest)) return undefined
      return `name the host with its port, such as ${kind}:relay.example.org:25`
    case 'pipe':
    case 'maildir':
    case 'mbox':
      return rest === '' ? `say which ${kind}, as \`destinations list\` shows it` : undefined
    case 'rule':
      if (shapingRules(house.settings()).some(one => ruleLane(one) === lane)) return undefined
      return `the config has no rule of shaping called "${rest}"`
    case 'from':
    case 'account':
      return "what is suspended is a destination; a sender's mail is held by `queue hold from:ADDRESS`"
    default:
      return `"${kind}:" is no kind of destination: it may be domain, mx, host, lmtp, onDemand, pipe, maildir, mbox or rule`
  }
}

/** A bare word is more likely a slip than a domain, unless mail has waited for it. */
async function whyDoubtful(
  { store }: ControlContext,
  name: string,
  lane: string,
): Promise<string | undefined> {
  if (/[:.[]/.test(name) || !lane.startsWith('domain:')) return undefined
  const [known] = await store.read(laneList, { limit: 1, name: `mx:${name}` })
  if (known !== undefined) return undefined
  return `"${name}" is no rule of \`shaping\`, and no domain that mail waits for: name one as \`destinations list\` shows it, a domain such as example.org, or ${lane} if you mean that`
}

/** With the hop in brackets where it is a named way to the domain's own hosts (route/route.ts). */
const DOMAIN = /^(?:[^\s:@/()]+|\[[^\s\]]+\])(?: \(.+\))?$/

function recordOf(row: LaneRow & { readonly waiting: number }): DestinationRecord {
  const { name, state, since, waiting, until_at: until, reason } = row
  return {
    name,
    state,
    since,
    waiting,
    ...(state === 'open' ? {} : { until }),
    ...(reason === null ? {} : { reason }),
  }
}
