/**
 * Lives through the storm of a seed: the weather ends after some hours, then the sky is clear and nothing that is
 * due may wait, and six days later oracle.ts judges. Run by run.ts (by hand, many) and town.test.ts (some,
 * always).
 */
import { type Broken, judge, overdue } from './oracle.ts'
import { HOUR, planStorm, type StormOptions, type StormPlan } from './storm-plan.ts'
import { createTown, type Town } from './town.ts'

export interface Storm {
  readonly plan: StormPlan
  readonly town: Town
  readonly broken: readonly Broken[]
  /** What was planned and what came of it, on one line. */
  readonly summary: string
}

/** Clear skies before nothing may be late any more: machines start, leases of the dead end, workers look. */
const CALM_MS = 2 * HOUR
const LOOK_MS = HOUR / 6

/** @param planted breaks the town behind its back: for tests of the oracle */
export async function storm(options: StormOptions, planted?: (town: Town) => void): Promise<Storm> {
  const { seed, hours } = options
  const plan = planStorm(options)
  const town = await createTown({ seed, servers: plan.servers, rough: true })
  town.tracer.start()
  planted?.(town)
  for (const [address, habit] of plan.habits) town.user(address).habit = habit
  const unsent = new Set(plan.letters)
  for (const planned of plan.letters) {
    const { letter, at } = planned
    town.later(at, () => {
      void town
        .user(letter.from)
        .send(letter)
        .then(() => unsent.delete(planned))
    })
  }
  for (const part of plan.parts) part.begin(town)
  await town.advance(hours * HOUR)
  clearSky(town)
  const late = await lookForLate(town)
  await town.advance('6 days')
  const broken = [...late, ...(await judge(town))]
  for (const { letter } of unsent) {
    broken.push({ rule: 'a client comes to an end', what: `${letter.from}: ${letter.subject}` })
  }
  return { plan, town, broken, summary: summaryOf(town) }
}

/** No fault comes any more, and every machine runs. */
function clearSky(town: Town): void {
  const { network, zones } = town.internet
  network.faults.fate = undefined
  network.faults.resetsPerMillion = 0
  for (const server of town.nodes) {
    server.faultAt = undefined
    server.writeFaultAt = undefined
    server.seat?.link(true)
    server.host.disk.capacityOctets = Number.POSITIVE_INFINITY
    zones.lie(server.plan.domain, undefined)
    for (const name of [server.plan.domain, server.name]) zones.fail(name, undefined)
    for (const other of town.nodes) network.heal(server.name, other.name)
  }
}

/** Looks every ten minutes for a while whether anything waits that should be on its way. */
async function lookForLate(town: Town): Promise<Broken[]> {
  await town.advance(CALM_MS)
  const late = new Map<string, Broken>()
  for (let at = 0; at < CALM_MS; at += LOOK_MS) {
    await town.advance(LOOK_MS)
    for (const broken of await overdue(town)) late.set(broken.what, broken)
  }
  return [...late.values()]
}

function summaryOf(town: Town): string {
  const sum = (of: (server: Town['servers'][number]) => number) =>
    town.servers.reduce((all, server) => all + of(server), 0)
  const read = [...town.users.values()].reduce((all, { shelf }) => all + shelf.read.size, 0)
  return (
    `${town.nodes.length} nodes of ${town.servers.length} domains, ${town.tries.length} transactions, ` +
    `${sum(s => s.commits)} commits, ${sum(s => s.failures.length)} of them failed, ` +
    `${sum(s => s.crashes.length)} crashes, ${read} read`
  )
}
