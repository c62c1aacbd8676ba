/**
 * The table and its plots in docs/performance.md, from figures that were measured. The figures are kept beside it, so
 * that a run of some cells replaces those alone; what is drawn of them is always the same.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { spread } from '../pairs.ts'
import { barPlot, type LinePanel, linePlot } from '../plot.ts'
import { advantage, type Figure, GROUPS, type Group, shown } from './figure.ts'

export interface Measured {
  /** The machine and the versions. */
  readonly where: readonly string[]
  readonly figures: readonly Figure[]
}

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url))
const KEPT = 'performance/figures.json'
const FIRST = 'Postrider'

const HEADINGS: Readonly<Record<Group, string>> = {
  rate: 'Rates, messages a second (20 kept sessions where nothing else is said)',
  tls: "SMTP with and without TLS, messages a second, by the bench's own generator",
  read: 'Reading, messages a second',
  latency: 'Latency of 1 KB delivered at a fixed load, ms from the moment when a message was due',
  idle: 'Memory of an idle session, KB',
  growth: 'As a queue and a mailbox grow',
}

/** Takes the new figures in, in place of all or only of those that they are of, and writes the table and the plots anew. */
export function writeDocument({ where, figures }: Measured, whole: boolean): void {
  const kept =
    !whole && existsSync(DOCS + KEPT)
      ? (JSON.parse(readFileSync(DOCS + KEPT, 'utf8')) as Measured).figures
      : []
  const all = merged(kept, figures)
  mkdirSync(`${DOCS}performance`, { recursive: true })
  writeFileSync(DOCS + KEPT, `${JSON.stringify({ where, figures: all }, undefined, 1)}\n`)
  const { text, plots } = documentOf({ where, figures: all })
  for (const [name, svg] of plots) writePlot(name, svg)
  writeSection('table', text)
}

/** What stands between two marks of docs/performance.md. */
export function writeSection(name: 'table' | 'soak', text: string): void {
  const page = readFileSync(`${DOCS}performance.md`, 'utf8')
  const mark = `<!-- the ${name} begins -->`
  const [begin, end] = [page.indexOf(mark), page.indexOf(`<!-- the ${name} ends -->`)]
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no place for the ${name}`)
  writeFileSync(
    `${DOCS}performance.md`,
    `${page.slice(0, begin + mark.length)}\n${text}\n${page.slice(end)}`,
  )
}

/** A plot beside the page. */
export function writePlot(name: string, svg: string): void {
  mkdirSync(`${DOCS}performance`, { recursive: true })
  writeFileSync(`${DOCS}performance/${name}.svg`, svg)
}

/** Each in the place of the one before it; what is new stands last. */
export function merged(kept: readonly Figure[], fresh: readonly Figure[]): Figure[] {
  const keyOf = ({ group, cell }: Figure) => `${group} ${cell}`
  const all = new Map([...kept, ...fresh].map(figure => [keyOf(figure), figure]))
  return [...all.values()]
}

/** What stands between the marks, and the plots by name. */
export function documentOf({ where, figures }: Measured): {
  readonly text: string
  readonly plots: ReadonlyMap<string, string>
} {
  const plots = plotsOf(figures)
  const commands = [...new Set(figures.map(({ command }) => command))]
  const parts = [
    `${where.join('. ')}. Measured by ${commands.map(one => `\`${one}\``).join(', ')}.`,
    'In brackets: how many times better Postrider is, median of the rounds; below 1 it is worse.',
  ]
  for (const group of GROUPS) {
    const of = figures.filter(figure => figure.group === group)
    if (of.length === 0) continue
    parts.push(`### ${HEADINGS[group]}`, tableOf(of))
    const cpu = of.flatMap(figure =>
      figure.cpu ? [{ ...figure, values: figure.cpu, better: 'less' as const }] : [],
    )
    if (cpu.length > 0) parts.push('CPU, seconds for 1,000 messages:', tableOf(cpu))
    parts.push(...failuresOf(of))
  }
  for (const name of plots.keys()) parts.push(`![${name}](performance/${name}.svg)`)
  return { text: parts.join('\n\n'), plots }
}

function tableOf(figures: readonly Figure[]): string {
  const names = namesOf(figures)
  const rows = figures.map(figure => {
    const cells = names.map(name => {
      const median = spread(figure.values[name] ?? [])?.median
      if (median === undefined) return figure.failed?.[name] === undefined ? '' : 'fails'
      const ratio = name === FIRST ? undefined : advantage(figure, FIRST, name)?.median
      return ratio === undefined ? shown(median) : `${shown(median)} (${ratio.toFixed(2)})`
    })
    return `| ${[figure.cell, ...cells].join(' | ')} |`
  })
  return [`| | ${names.join(' | ')} |`, `|---|${'--:|'.repeat(names.length)}`, ...rows].join('\n')
}

/** Those who have a figure or have failed, the first first. */
function namesOf(figures: readonly Figure[]): string[] {
  const all = figures.flatMap(({ values, failed = {} }) => [
    ...Object.keys(values),
    ...Object.keys(failed),
  ])
  return [...new Set([FIRST, ...all])].filter(name => all.includes(name))
}

function failuresOf(figures: readonly Figure[]): string[] {
  const lines = figures.flatMap(({ cell, failed = {} }) =>
    Object.entries(failed).map(([name, why]) => `- ${name}, ${cell}: ${why}`),
  )
  return lines.length === 0 ? [] : [lines.join('\n')]
}

const BARS = [
  ...['accept 1 KB', 'deliver 1 KB', 'relay 1 KB', 'LMTP 1 KB'],
  ...['IMAP FETCH of 4 KB, 20 sessions', 'POP3 RETR of 4 KB, 20 sessions'],
]

function plotsOf(figures: readonly Figure[]): Map<string, string> {
  const plots = new Map<string, string>()
  const bars = (name: string, heading: string, of: readonly Figure[]) => {
    if (of.length === 0) return
    const panels = of.map(({ cell, values }) => ({
      title: cell,
      bars: Object.keys(values).map(peer => ({ name: peer, value: median(values[peer]) })),
    }))
    plots.set(name, barPlot(heading, panels))
  }
  const inGroup = (group: Group) => figures.filter(figure => figure.group === group)
  bars(
    'rates',
    'Messages a second, 20 sessions',
    figures.filter(({ cell }) => BARS.includes(cell)),
  )
  const charts = [...new Set(figures.flatMap(({ points = [] }) => points.map(p => p.chart)))]
  const grown = (chart: string) => /^(?:queue|mailbox):/.test(chart)
  const lines = (name: string, heading: string, of: readonly string[]) => {
    const panels = of.map(chart => linesOf(figures, chart)).filter(({ lines: all }) => all.length)
    if (panels.length > 0) plots.set(name, linePlot(heading, panels))
  }
  lines(
    'size-and-sessions',
    'Both axes logarithmic',
    charts.filter(chart => !grown(chart)),
  )
  bars('latency', 'Milliseconds until a message is answered, by its load', inGroup('latency'))
  bars('idle', 'KB of memory for an idle session', inGroup('idle'))
  lines('growth', 'By messages that are there, both axes logarithmic', charts.filter(grown))
  return plots
}

function linesOf(figures: readonly Figure[], chart: string): LinePanel {
  const of = figures.flatMap(figure => {
    const point = figure.points?.find(one => one.chart === chart)
    return point ? [{ values: figure.values, x: point.x }] : []
  })
  const names = [...new Set(of.flatMap(({ values }) => Object.keys(values)))]
  const lines = names.map(name => ({
    name,
    points: of
      .flatMap(({ values, x }) =>
        values[name] === undefined ? [] : [[x, median(values[name])] as const],
      )
      .toSorted(([a], [b]) => a - b),
  }))
  return { title: chart, lines, log: 'both', x: chart.includes('size') ? sizeName : countName }
}

function median(values: readonly number[] = []): number {
  return spread(values)?.median ?? 0
}

function sizeName(octets: number): string {
  return octets >= 1024 * 1024 ? `${octets / 1024 / 1024} MB` : `${octets / 1024} KB`
}

function countName(count: number): string {
  return count.toLocaleString('en-US')
}
