/**
 * How commands print: aligned columns, times and sizes for people; JSON for programs. What came
 * from a peer is shown with its control characters escaped, so that it cannot drive a terminal.
 */
import { formatDuration } from '../wire/measure.ts'
import { plainJson, withoutUnseen } from '../wire/unseen.ts'

/** Text that is safe on a terminal: what is not seen as what it is (wire/unseen.ts) as \xNN, but for line ends where `lines`. */
export function printable(text: string, lines = false): string {
  return withoutUnseen(text, character => {
    if (lines && (character === '\n' || character === '\t')) return character
    if (lines && character === '\r') return ''
    return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
  })
}

/** Rows under a heading, each column as wide as its widest cell; or a line that says that there are none. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return `${none}\n`
  const cells = [heading, ...rows].map(row => row.map(cell => printable(cell)))
  const widths = heading.map((_, i) =>
    cells.reduce((widest, row) => Math.max(widest, (row[i] ?? '').length), 0),
  )
  const lines = cells.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** Names and values, one a line, values aligned; those that are undefined are left out. */
export function facts(pairs: readonly (readonly [string, string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join('')
}

/** '2026-11-21 22:55:20Z': UTC, to the second. */
export function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** 'in 4m', '2h ago', 'now': a time as seen from another. */
export function formatWhen(at: number, now: number): string {
  const distanceMs = Math.abs(at - now)
  if (distanceMs < 1000) return 'now'
  const units = [86_400_000, 3_600_000, 60_000, 1000]
  const unit = units.find(candidate => distanceMs >= candidate) as number
  // Two digits of a time are enough: 1d4h, not 1d4h12m7s.
  const next = unit === 1000 ? 1000 : (units[units.indexOf(unit) + 1] as number)
  // What was just set for two hours is not shown as 1h59m.
  const round = at > now ? Math.ceil : Math.floor
  const text = formatDuration(round(distanceMs / next) * next)
  return at > now ? `in ${text}` : `${text} ago`
}

/** '<>' for the null reverse-path. */
export function formatSender(sender: string): string {
  return sender === '' ? '<>' : sender
}

export function json(value: unknown): string {
  return `${plainJson(JSON.stringify(value))}\n`
}
