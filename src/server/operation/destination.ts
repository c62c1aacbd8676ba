/** Destinations as an operator sees and stops them: `destination.*`. */
import { type LaneRow, laneList, resumeLane, suspendLane } from '../../queue/lane.ts'
import { ruleLane } from '../../shape/rule.ts'
import type { OperationInput, OperationOutput } from '../operation.ts'
import { OperationError } from '../operation.ts'
import { shapingRules } from '../shaping-rules.ts'
import type { ControlContext } from './context.ts'
import type { DestinationRecord } from './destination-record.ts'

const LIMIT = 1000

export async function listDestinations(
  context: ControlContext,
  { limit = LIMIT, name }: OperationInput<'destination.list'>,
): Promise<OperationOutput<'destination.list'>> {
  const asked = { limit, ...(name !== undefined && { name: laneNamed(context, name) }) }
  const rows = await context.store.read(laneList, asked)
  return { destinations: rows.map(recordOf) }
}

export async function suspendDestination(
  context: ControlContext,
  { name, forMs, reason = 'suspended by the operator' }: OperationInput<'destination.suspend'>,
): Promise<OperationOutput<'destination.suspend'>> {
  if (!(forMs > 0)) throw new OperationError(64, 'say for how long, such as 2h')
  const lane = laneNamed(context, name)
  const row = await context.store.write(suspendLane, { name: lane, forMs, status: '4.7.0', reason })
  context.wake()
  const [listed] = await context.store.read(laneList, { limit: 1, name: lane })
  const found = listed ?? (row && { ...row, waiting: 0 })
  if (found === undefined) throw new OperationError(75, `${lane} could not be suspended`)
  return recordOf(found)
}

export async function resumeDestination(
  context: ControlContext,
  { name }: OperationInput<'destination.resume'>,
): Promise<OperationOutput<'destination.resume'>> {
  const lane = laneNamed(context, name)
  const resumed = await context.store.write(resumeLane, { name: lane, now: true })
  context.wake()
  return { name: lane, resumed }
}

/** `gmail.com` is a domain, `google` may be a rule, and what has a colon is as lists show it. */
function laneNamed({ house }: ControlContext, name: string): string {
  if (name === '') throw new OperationError(64, 'say which destination, such as example.org')
  if (name.includes(':')) return name
  const rule = shapingRules(house.settings()).find(one => one.name === name)
  return rule === undefined ? `mx:${name.toLowerCase()}` : ruleLane(rule)
}

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
