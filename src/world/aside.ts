/**
 * Steps of a client's login that its session does not do itself: those of a security context, which the system's
 * library has, and the stretching of a password. Called by whoever holds a session and a world: transport/hop.ts,
 * access/pop3-fetch.ts, cli/submit.ts.
 */
import type { Gss, GssAnswer, GssStep } from './gss.ts'
import type { Stretch, Stretched, StretchStep } from './stretch.ts'

export type AsideStep = GssStep | StretchStep
export type AsideAnswer = GssAnswer | Stretched

export interface Asides {
  readonly gss?: Gss
  readonly stretch: Stretch
}

export async function doAside({ gss, stretch }: Asides, step: AsideStep): Promise<AsideAnswer> {
  if (step.kind === 'stretch') return stretch(step)
  const why = 'there is no library for tickets here'
  return (await gss?.step(step)) ?? { kind: 'unavailable', why }
}
