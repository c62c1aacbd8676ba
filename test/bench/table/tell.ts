/** What is printed of a figure as soon as it is there: each peer's median and range, and how many times better we are. */
import { formatSpread, spread } from '../pairs.ts'
import { advantage, type Figure, shown } from './figure.ts'

const FIRST = 'Postrider'

export function toldLines(figure: Omit<Figure, 'command'>): string[] {
  const { group, cell, unit, values, cpu = {}, failed = {}, seconds } = figure
  const lines = Object.entries(values).map(([name, of]) => {
    const median = spread(of)?.median ?? 0
    const ratio = name === FIRST ? undefined : advantage(figure, FIRST, name)
    const cost = spread(cpu[name] ?? [])?.median
    return [
      `  ${name.padEnd(12)}${shown(median).padStart(8)}`,
      ratio === undefined ? '' : `  ratio ${formatSpread(ratio, 2)}`,
      cost === undefined ? '' : `  CPU s/1000 ${cost.toFixed(2)}`,
    ].join('')
  })
  const failures = Object.entries(failed).map(([name, why]) => `  ${name.padEnd(12)}fails: ${why}`)
  return [`\n${group}: ${cell}, ${unit} (${seconds} s)`, ...lines, ...failures]
}
