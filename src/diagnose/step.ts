/**
 * What a step is: a name, and a function of what is known so far that gives findings. The tables of steps are in
 * domain/steps.ts and host/steps.ts; to add a step is to add a file and a row.
 */
import type { Clock } from '../world/clock.ts'
import type { Dns } from '../world/dns.ts'
import type { Finding, StepReport } from './finding.ts'

export interface Step<Context> {
  readonly name: string
  run(context: Context): readonly Finding[] | Promise<readonly Finding[]>
  /** How long what it judges took, where that was before the step. */
  tookMs?(context: Context): number
}

/** What every step may ask. */
export interface Place {
  readonly clock: Clock
  /** Each question is asked once (remembered-dns.ts). */
  readonly dns: Dns
  /** Whether it is the asker's own: what others may forgive is then worth a warning. */
  readonly own: boolean
  /** Fingerprints of which its certificate must have one; then no authority and no name counts. */
  readonly pins?: readonly string[]
}

/** Runs the steps one after the other; a step with nothing to say is left out. */
export async function runSteps<Context extends Place>(
  steps: readonly Step<Context>[],
  context: Context,
): Promise<readonly StepReport[]> {
  const reports: StepReport[] = []
  for (const step of steps) {
    const startedAt = context.clock.monotonic()
    const findings = await step.run(context)
    if (findings.length === 0) continue
    const tookMs = step.tookMs?.(context) ?? context.clock.monotonic() - startedAt
    reports.push({ step: step.name, tookMs: Math.round(tookMs), findings })
  }
  return reports
}
