/**
 * The library's diagnosis: the sections of src/diagnose in the real world, by the machine's own name servers or those
 * that are named. Sends no message.
 */
import { type DiagnoseOptions, diagnose as diagnoseIn } from '../diagnose/diagnose.ts'
import type { Section } from '../diagnose/finding.ts'
import { type PlanFlags, planOf } from '../diagnose/plan.ts'
import { silent } from '../world/log.ts'
import { nodeClock, nodeDns, nodeNet, nodeRandom, nodeStretch } from '../world/node/index.ts'

export interface LibraryDiagnoseOptions
  extends Partial<Omit<DiagnoseOptions, 'plan' | 'own'>>,
    PlanFlags {
  /** Name servers as `ADDRESS` or `ADDRESS:PORT`. */
  readonly nameServers?: readonly string[]
}

/** Section by section, each when it is known. Throws a RangeError where the subject is no host, domain or address. */
export function diagnose(
  subject: string,
  options: LibraryDiagnoseOptions = {},
): AsyncGenerator<Section, void, void> {
  const plan = planOf(subject, options)
  if (plan === undefined) throw new RangeError(`no host, domain or address: ${subject}`)
  const world = {
    clock: nodeClock,
    random: nodeRandom,
    net: nodeNet,
    dns: nodeDns(options.nameServers === undefined ? {} : { servers: options.nameServers }),
    log: silent,
    stretch: nodeStretch,
  }
  return diagnoseIn(world, { hostname: 'localhost', ...options, plan })
}
