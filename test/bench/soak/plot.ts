/** Lines over time as SVG: one small picture below the other, for docs/performance.md. Draws, and measures nothing. */

export interface Curve {
  readonly title: string
  readonly unit: string
  readonly values: readonly number[]
}

const [WIDTH, HEIGHT, LEFT, GAP] = [720, 90, 60, 46]

/** @param seconds between two values */
export function plot(heading: string, curves: readonly Curve[], seconds: number): string {
  const whole = GAP + curves.length * (HEIGHT + GAP)
  const minutes = ((curves[0]?.values.length ?? 0) * seconds) / 60
  const parts = curves.map((curve, i) => panel(curve, GAP + i * (HEIGHT + GAP), minutes))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 20} ${whole}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(LEFT, 16, heading, 'font-size="13"'),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function panel({ title, unit, values }: Curve, top: number, minutes: number): string {
  const most = Math.max(...values, 1)
  const x = (i: number) => LEFT + (i / Math.max(1, values.length - 1)) * WIDTH
  const y = (value: number) => top + HEIGHT - (value / most) * HEIGHT
  const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return [
    text(LEFT, top - 6, `${title}, ${unit}`),
    `<path d="M${LEFT} ${top}V${top + HEIGHT}H${LEFT + WIDTH}" fill="none" stroke="#999"/>`,
    text(LEFT - 6, top + 9, shown(most), 'text-anchor="end"'),
    text(LEFT - 6, top + HEIGHT, '0', 'text-anchor="end"'),
    text(LEFT + WIDTH, top + HEIGHT + 14, `${minutes.toFixed(0)} min`, 'text-anchor="end"'),
    `<polyline points="${points}" fill="none" stroke="#06c" stroke-width="1.2"/>`,
  ].join('\n')
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function text(x: number, y: number, what: string, more = ''): string {
  const safe = what.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" fill="#222" ${more}>${safe}</text>`
}
