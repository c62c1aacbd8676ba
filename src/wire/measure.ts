/**
 * Durations and sizes as people write them: '4h', '1h30m', '50MB'. Read by the config and by queries of the queue,
 * printed by the command line and the documents. Never used on a peer's input.
 */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Powers of 1024 under every spelling, as mail servers have always counted. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 1024,
  KB: 1024,
  KIB: 1024,
  M: 1024 ** 2,
  MB: 1024 ** 2,
  MIB: 1024 ** 2,
  G: 1024 ** 3,
  GB: 1024 ** 3,
  GIB: 1024 ** 3,
}

/** Ten years: longer than any wait that makes sense, and far below what a number can hold. */
const DURATION_MAX_MS = 3650 * 86_400_000

/** `number unit` pairs, longest unit first: '1h30m' is 5,400,000 ms. Undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const pairs = text
    .trim()
    .toLowerCase()
    .matchAll(/(\d{1,15}(?:\.\d{1,6})?)\s?(ms|[smhdw])/gy)
  let read = 0
  let totalMs = 0
  let lastUnit = Number.POSITIVE_INFINITY
  for (const [whole, amount, unit] of pairs) {
    const unitMs = DURATION_UNITS[unit as string] as number
    if (unitMs >= lastUnit) return undefined
    lastUnit = unitMs
    read += whole.length
    totalMs += Number(amount) * unitMs
  }
  if (read === 0 || read !== text.trim().length || totalMs > DURATION_MAX_MS) return undefined
  return Math.round(totalMs)
}

const RATE_UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `100/min`, `5/s`, `2000/h`, `10000/d`, or by any duration, such as `30/10m`. Undefined where it is none. */
export function parseRate(
  text: string,
): { readonly count: number; readonly perMs: number } | undefined {
  const match = /^(\d{1,9})\/(?:(s|min|h|d)|(\d[\dsmhdw.]*))$/.exec(text)
  const count = Number(match?.[1])
  const unit = match?.[2]
  const perMs = unit === undefined ? parseDuration(match?.[3] ?? '') : RATE_UNITS[unit]
  return count > 0 && perMs !== undefined && perMs >= 1000 ? { count, perMs } : undefined
}

/** '50MB', '512K', '1048576': octets. Undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s?([a-z]{0,3})$/i.exec(text.trim())
  const unit = SIZE_UNITS[(match?.[2] ?? '').toUpperCase()]
  if (match === null || unit === undefined) return undefined
  // No octet has parts.
  if (unit === 1 && match[1]?.includes('.')) return undefined
  const octets = Math.floor(Number(match[1]) * unit)
  return Number.isSafeInteger(octets) ? octets : undefined
}

/** The shortest exact spelling of a duration in ms: '5d', '1h30m', '250ms'. */
export function formatDuration(durationMs: number): string {
  let rest = Math.max(0, Math.round(durationMs))
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const unitMs = DURATION_UNITS[unit] as number
    const count = Math.floor(rest / unitMs)
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitMs
  }
  return text === '' ? '0' : text
}

/** A size for people: exact where a unit fits ('50MB'), else to one decimal. */
export function formatSize(octets: number): string {
  const units = [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const
  for (const [name, unit] of units) {
    if (octets >= unit) return `${Number((octets / unit).toFixed(1))}${name}`
  }
  return `${octets}B`
}

/** '1 message', '2 messages': a number of things, for people. */
export function formatCount(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}
