/** date-time of APPEND and INTERNALDATE, date of SEARCH (RFC 9051 §9). Times are ms since the epoch, UTC. */
import type { Cursor } from './cursor.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY_MS = 86_400_000

const DATE = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/
const DATE_TIME = /^([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/

/** `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`. */
export function readDateTime(cursor: Cursor): number {
  const match = DATE_TIME.exec(cursor.string())
  const day = match && dayOf(match[1] ?? '', match[2] ?? '', match[3] ?? '')
  if (!match || day === undefined || day === null) {
    cursor.fail('the date-time is not well formed')
    return 0
  }
  const [hours, minutes, seconds, zoneHours, zoneMinutes] = [4, 5, 6, 8, 9].map(n =>
    Number(match[n]),
  )
  if (
    hours === undefined ||
    minutes === undefined ||
    seconds === undefined ||
    zoneHours === undefined ||
    zoneMinutes === undefined ||
    hours > 23 ||
    minutes > 59 ||
    seconds > 60 ||
    zoneMinutes > 59
  ) {
    cursor.fail('the date-time is not well formed')
    return 0
  }
  const east = (zoneHours * 60 + zoneMinutes) * (match[7] === '-' ? -60_000 : 60_000)
  return day + ((hours * 60 + minutes) * 60 + seconds) * 1000 - east
}

/** `date = date-text / DQUOTE date-text DQUOTE`: the first ms of that day, as if in UTC. */
export function readDate(cursor: Cursor): number {
  const match = DATE.exec(cursor.astring())
  const day = match ? dayOf(match[1] ?? '', match[2] ?? '', match[3] ?? '') : undefined
  if (day === undefined) cursor.fail('the date is not well formed')
  return day ?? 0
}

function dayOf(day: string, month: string, year: string): number | undefined {
  const name = month.charAt(0).toUpperCase() + month.slice(1).toLowerCase()
  const index = MONTHS.indexOf(name)
  const number = Number(day)
  const ms = Date.UTC(2000, index, number)
  const date = new Date(ms)
  // Years below 100 are themselves, which Date.UTC does not believe.
  date.setUTCFullYear(Number(year), index, number)
  return index >= 0 && number >= 1 && date.getUTCDate() === number ? date.getTime() : undefined
}

/** ` 7-Nov-2026 03:55:46 +0000`, always in UTC. */
export function formatDateTime(timeMs: number): string {
  const date = new Date(timeMs)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = String(date.getUTCDate()).padStart(2, ' ')
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  const year = String(date.getUTCFullYear()).padStart(4, '0')
  return `${day}-${MONTHS[date.getUTCMonth()]}-${year} ${time} +0000`
}

/** The day of a time, as SEARCH compares days: disregarding time and zone. */
export function dayStart(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS) * DAY_MS
}
