/** A diagnosis as people read it: step by step, each finding with its remedy, and what was said. */
import type { Finding, Line, Section, Severity } from '../diagnose/finding.ts'
import { formatCount } from '../wire/measure.ts'
import { printable } from './print.ts'

const MARKS: Readonly<Record<Severity, string>> = {
  good: 'good   ',
  note: 'note   ',
  warning: 'WARNING',
  fault: 'FAULT  ',
}

/** How many faults and warnings there are, and which. */
export function showSummary(sections: readonly Section[]): string {
  const found = sections.flatMap(({ about, steps }) =>
    steps.flatMap(({ findings }) =>
      findings.map(({ name, severity }) => ({ about, name, severity })),
    ),
  )
  const of = (wanted: Severity) => found.filter(({ severity }) => severity === wanted)
  const [faults, warnings] = [of('fault'), of('warning')]
  const lines = [...Map.groupBy([...faults, ...warnings], ({ name }) => name).values()].map(
    same => {
      const [first] = same as [(typeof found)[number]]
      const places = same.length > 1 ? `, and ${formatCount(same.length - 1, 'more place')}` : ''
      return `  ${MARKS[first.severity]} ${first.name}: ${printable(first.about)}${places}\n`
    },
  )
  return `${formatCount(faults.length, 'fault')}, ${formatCount(warnings.length, 'warning')}\n${lines.join('')}\n`
}

/** @param all also what was said where nothing is wrong */
export function showSection({ about, steps, transcript }: Section, all: boolean): string {
  const shown = steps.map(({ step, tookMs, findings }) => {
    const lines = findings.map(showFinding)
    return `  ${step} (${tookMs} ms)\n${lines.join('')}`
  })
  const bad = steps.some(({ findings }) =>
    findings.some(({ severity }) => severity === 'warning' || severity === 'fault'),
  )
  const said = transcript !== undefined && (all || bad) ? showTranscript(transcript) : ''
  return `${printable(about)}\n${shown.join('')}${said}\n`
}

function showFinding({ name, severity, text, remedy }: Finding): string {
  // A list of its own, of which each line says what it is.
  if (name === 'extension') return `              ${printable(text)}\n`
  const line = `    ${MARKS[severity]} ${name}: ${printable(text)}\n`
  // What anybody may want to know of a healthy server fits a line; what is to be done deserves one.
  return remedy === undefined ? line : `${line}            -> ${remedy}\n`
}

function showTranscript(lines: readonly Line[]): string {
  if (lines.length === 0) return ''
  const shown = lines.map(({ atMs, text }) => {
    const seconds = (atMs / 1000).toFixed(3).padStart(8)
    return `    ${seconds} ${printable(text)}\n`
  })
  return `  what was said\n${shown.join('')}`
}
