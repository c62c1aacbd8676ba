/**
 * Lines and bars as SVG, for docs: one panel below the other, plain, readable on white and on black, and the same text
 * for the same values. Draws, and measures nothing.
 */

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LinePanel {
  readonly title: string
  readonly lines: readonly Line[]
  /** Equal ratios are equally far, on that axis. */
  readonly log?: 'x' | 'both'
  /** How a place on the axis below is written. */
  readonly x: (value: number) => string
}

export interface BarPanel {
  readonly title: string
  readonly bars: readonly { readonly name: string; readonly value: number }[]
}

const [WIDTH, LEFT, RIGHT, GAP] = [560, 110, 90, 44]
const [HEIGHT, BAR] = [130, 18]
/** Of middling lightness: seen on both backgrounds. */
const COLOURS = [
  ...['#0a6cd6', '#d1422f', '#2e9447', '#a35fc4', '#d98212', '#8d6e4d', '#1295a6', '#808080'],
]
const STYLE =
  'text{font:11px sans-serif;fill:#222}.head{font-size:13px}.axis{fill:none;stroke:#888}' +
  '.line{fill:none;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#ddd}}'

export function linePlot(heading: string, panels: readonly LinePanel[]): string {
  const parts: string[] = []
  let top = GAP
  const names = namesOf(panels.map(({ lines }) => lines))
  for (const panel of panels) {
    parts.push(...linePanel(panel, top, names))
    top += HEIGHT + GAP
  }
  return svg(heading, top, parts)
}

export function barPlot(heading: string, panels: readonly BarPanel[]): string {
  const parts: string[] = []
  let top = GAP
  const names = namesOf(panels.map(({ bars }) => bars))
  for (const { title, bars } of panels) {
    const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
    parts.push(text(LEFT, top - 6, title))
    for (const { name, value } of bars) {
      const width = Math.max(1, (value / most) * WIDTH)
      const colour = colourOf(names.indexOf(name))
      parts.push(
        text(LEFT - 6, top + 13, name, 'text-anchor="end"'),
        `<rect x="${LEFT}" y="${top + 2}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${colour}"/>`,
        text(LEFT + width + 6, top + 13, number(value)),
      )
      top += BAR
    }
    top += GAP - 14
  }
  return svg(heading, top, parts)
}

/** The same name has the same colour in each panel. */
function namesOf(panels: readonly (readonly { readonly name: string }[])[]): string[] {
  return [...new Set(panels.flat().map(({ name }) => name))]
}

function linePanel(
  { title, lines: given, log, x: label }: LinePanel,
  top: number,
  names: readonly string[],
): string[] {
  const lines = given.filter(({ points }) => points.length > 0)
  const all = lines.flatMap(({ points }) => points)
  const xs = [...new Set(all.map(([x]) => x))].toSorted((a, b) => a - b)
  const ys = all.map(([, y]) => y)
  const most = Math.max(...ys, Number.MIN_VALUE)
  const positive = ys.filter(y => y > 0)
  const least = log === 'both' && positive.length > 0 ? Math.min(...positive) / 1.5 : 0
  const [first = 0, last = 1] = [xs[0], xs.at(-1)]
  const x = (value: number) => LEFT + share(value, first, last, log !== undefined) * WIDTH
  const y = (value: number) => top + HEIGHT - share(value, least, most, log === 'both') * HEIGHT
  const bottom = top + HEIGHT
  const parts = [
    text(LEFT, top - 8, title),
    `<path class="axis" d="M${LEFT} ${top}V${bottom}H${LEFT + WIDTH}"/>`,
    text(LEFT - 6, top + 9, number(most), 'text-anchor="end"'),
    text(LEFT - 6, bottom, number(least), 'text-anchor="end"'),
    // On a plain axis its two ends say enough.
    ...(log === undefined ? [first, last] : xs).map(at =>
      text(x(at), bottom + 14, label(at), 'text-anchor="middle"'),
    ),
  ]
  let free = Number.NEGATIVE_INFINITY
  const ends = lines
    .map(({ name, points }) => ({ name, at: y(points.at(-1)?.[1] ?? 0), end: points.at(-1) }))
    .toSorted((a, b) => a.at - b.at)
  for (const { name, at, end } of ends) {
    // Where lines end beside each other their names stand below each other.
    free = Math.max(at + 4, free + 12)
    const nameAt = x(end?.[0] ?? last) + 6
    if (name !== '')
      parts.push(text(nameAt, free, name, `style="fill:${colourOf(names.indexOf(name))}"`))
  }
  for (const { name, points } of lines) {
    const colour = colourOf(names.indexOf(name))
    const places = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ')
    parts.push(`<polyline class="line" stroke="${colour}" points="${places}"/>`)
    if (log === undefined) continue
    for (const place of places.split(' ')) {
      const [cx, cy] = place.split(',')
      parts.push(`<circle cx="${cx}" cy="${cy}" r="2.5" fill="${colour}"/>`)
    }
  }
  return parts
}

/** Where a value lies between two others, from 0 to 1. */
function share(value: number, least: number, most: number, log: boolean): number {
  if (most <= least) return 0
  if (!log) return (value - least) / (most - least)
  // Nothing is no place of a logarithm: it is the least.
  return Math.log(Math.max(value, least) / least) / Math.log(most / least)
}

function svg(heading: string, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${height}">`,
    `<style>${STYLE}</style>`,
    text(LEFT, 16, heading, 'class="head"'),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] as string
}

function number(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value === 0 ? '0' : value.toPrecision(2)
}

function text(x: number, y: number, what: string, more = ''): string {
  const safe = what.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const at = (value: number) => Number(value.toFixed(1))
  return `<text x="${at(x)}" y="${at(y)}"${more === '' ? '' : ` ${more}`}>${safe}</text>`
}
