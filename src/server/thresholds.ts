/** What peers may do and cost, joined: bans, visits and the load of the process. Built by house.ts. */
import { type Bans, openBans } from '../limit/bans.ts'
import { Connections } from '../limit/connections.ts'
import { Failures } from '../limit/failures.ts'
import type { FreeSpace } from '../limit/free-space.ts'
import { Load, type LoadCause, unloaded } from '../limit/load.ts'
import { SharedCounts } from '../limit/shared-counts.ts'
import { type VisitNeeds, Visits } from '../limit/visits.ts'
import type { HouseOptions } from './house.ts'

export interface Thresholds {
  readonly bans: Bans
  readonly visits: Visits
  readonly shared: SharedCounts | undefined
  readonly load: { readonly shedding: boolean; readonly causes: readonly LoadCause[] }
}

/** Rejects where the bans of the store cannot be read. */
export async function openThresholds(
  options: HouseOptions,
  room: FreeSpace,
  turnedAway: VisitNeeds['turnedAway'],
  node: () => string,
): Promise<Thresholds> {
  const { world, store, settings, pollMs } = options
  const { clock } = world
  const limits = () => settings().limits
  const load = watchedLoad(options, room)
  const bans = await openBans({ store, world, lengths: () => limits().bans, pollMs })
  const shared = store.alone ? undefined : new SharedCounts({ store, world, node })
  const connections = new Connections(limits, shared)
  const failures = new Failures(clock, () => limits().loginFailures, shared)
  const visits = new Visits({
    clock,
    connections,
    failures,
    bans,
    load,
    limits,
    shared,
    turnedAway,
  })
  return { bans, visits, load, shared }
}

/** Looked at where somebody can tell. */
function watchedLoad(
  { world, settings, vitals }: HouseOptions,
  room: FreeSpace,
): Thresholds['load'] {
  if (vitals === undefined) return unloaded
  const diskShort = () => {
    const fits = room.for(0)
    return fits instanceof Promise ? fits.then(known => !known) : !fits
  }
  const limits = () => settings().limits.overload
  const load = new Load({ clock: world.clock, log: world.log, limits, vitals, diskShort })
  load.start()
  return load
}
