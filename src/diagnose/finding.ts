/**
 * What a diagnosis says: findings, each by a name that a script can look for, in steps, in sections. Made by the
 * steps, printed by the command line. All of it survives JSON.
 */
import { catalogue, type FindingName, type Trade } from './catalogue.ts'

/** From best to worst. 'note' tells, 'warning' may bring trouble, 'fault' keeps mail or logins from going through. */
export type Severity = 'good' | 'note' | 'warning' | 'fault'

export interface Finding {
  readonly name: FindingName
  readonly severity: Severity
  /** What was found, in one line. */
  readonly text: string
  /** What to do about it; never for what is good. */
  readonly remedy?: string
}

export interface StepReport {
  readonly step: string
  readonly tookMs: number
  readonly findings: readonly Finding[]
}

/** One line of what was said, `C:`, `S:` or `*`; secrets are blotted out. */
export interface Line {
  /** Ms since the section began. */
  readonly atMs: number
  readonly text: string
}

/** All about one thing: a domain, or one address of one host. */
export interface Section {
  readonly about: string
  readonly steps: readonly StepReport[]
  readonly transcript?: readonly Line[]
}

/** What a peer says may be long; a finding is one line. */
const TEXT_MAX = 400

/** A finding by its name; `severity` where it is graver, or less grave, than it usually is. */
export function finding(name: FindingName, text: string, severity?: Severity): Finding {
  const { usually, remedy } = catalogue[name]
  // What is let pass here needs no remedy.
  const lessGrave = severity === 'note' && usually !== 'note'
  return {
    name,
    severity: severity ?? usually,
    text: text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text,
    ...(remedy === undefined || lessGrave ? {} : { remedy }),
  }
}

const ORDER: readonly Severity[] = ['good', 'note', 'warning', 'fault']

/** The worst of some sections, and of those as bad the first: what an exit code is made of. */
export function worstOf(sections: readonly Section[]): {
  readonly severity: Severity
  readonly trade?: Trade
} {
  let worst: Finding | undefined
  for (const { findings } of sections.flatMap(({ steps }) => steps)) {
    for (const one of findings) {
      if (worst && ORDER.indexOf(one.severity) <= ORDER.indexOf(worst.severity)) continue
      worst = one
    }
  }
  if (worst === undefined) return { severity: 'good' }
  return { severity: worst.severity, trade: catalogue[worst.name].trade }
}
