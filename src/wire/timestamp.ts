/**
 * The date-time of RFC 3339 §5.6, as parameters of SMTP write it: without parts of a second.
 *
 *     date-time = full-date "T" full-time
 *     full-date = 4DIGIT "-" 2DIGIT "-" 2DIGIT
 *     full-time = 2DIGIT ":" 2DIGIT ":" 2DIGIT ( "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT )
 *
 * Times are ms since the Unix epoch, UTC. It never reads a clock.
 */

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/i

/** The end of 9999, where four digits of a year end. */
const LAST_MS = 253_402_300_799_999

/** Undefined where it is none. A leap second counts as the next second; the letters may be small. */
export function parseTimestamp(text: string): number | undefined {
  const found = FORM.exec(text)
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second, sign, eastHours = '0', eastMinutes = '0'] = found
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // The 31st of April rolls over into May: such a day does not exist.
  if (date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1)
    return undefined
  const east = (Number(eastHours) * 60 + Number(eastMinutes)) * (sign === '-' ? -1 : 1)
  const minutes = Number(hour) * 60 + Number(minute) - east
  return date.getTime() + (minutes * 60 + Number(second)) * 1000
}

/** `2026-11-27T04:00:00Z`, always in UTC; parts of a second are cut off. */
export function formatTimestamp(timeMs: number): string {
  const within = new Date(Math.min(Math.max(timeMs, 0), LAST_MS))
  return `${within.toISOString().slice(0, 19)}Z`
}
