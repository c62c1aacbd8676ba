/**
 * The date-time of RFC 5322 §3.3, and the obsolete forms of §4.3 that mail still carries.
 *
 * Times are ms since the Unix epoch, UTC. Called for every Received line, Date field and notice.
 * It never reads a clock: the time is always given. Reading is linear in the text's length.
 */

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Minutes east of UTC of the zones of RFC 5322 §4.3 that have a known meaning. */
const ZONES: Readonly<Record<string, number>> = {
  UT: 0,
  GMT: 0,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
}

/** 1900-01-01 (RFC 5322 §3.3: year >= 1900) and the end of 9999. */
const FIRST_MS = -2_208_988_800_000
const LAST_MS = 253_402_300_799_999

/** No date of any use is longer; what is beyond is not looked at. */
const TEXT_MAX_CHARS = 1000

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`
}

/**
 * `Sat, 21 Nov 2026 22:55:27 +0000`, always in UTC. Parts of a second are cut off; a time outside
 * the years 1900 to 9999 is moved to the nearer end, so that the result is always grammatical.
 */
export function formatDate(timeMs: number): string {
  const within = Math.min(Math.max(Number.isNaN(timeMs) ? 0 : timeMs, FIRST_MS), LAST_MS)
  const date = new Date(within)
  const day = DAYS[date.getUTCDay()] ?? ''
  const month = MONTHS[date.getUTCMonth()] ?? ''
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  return `${day}, ${date.getUTCDate()} ${month} ${date.getUTCFullYear()} ${time} +0000`
}

/** A word of letters, a number, a sign, or a single other character. */
type Piece = { readonly kind: 'word' | 'number' | 'mark'; readonly text: string }

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

/** Skips a comment that opens at `at`; nesting is counted, never recursed into. */
function skipComment(text: string, at: number): number {
  let depth = 0
  let i = at
  for (; i < text.length; i++) {
    const char = text[i]
    if (char === '\\') i++
    else if (char === '(') depth++
    else if (char === ')' && --depth === 0) return i + 1
  }
  return i
}

/** Cuts the text into pieces, dropping white space and comments (CFWS). */
function pieces(text: string): Piece[] {
  const result: Piece[] = []
  let i = 0
  while (i < text.length) {
    const code = text.charCodeAt(i)
    const from = i
    if (code <= 32) i++
    else if (code === 40) i = skipComment(text, i)
    else if (isDigit(code)) {
      while (isDigit(text.charCodeAt(i))) i++
      result.push({ kind: 'number', text: text.slice(from, i) })
    } else if (isLetter(code)) {
      while (isLetter(text.charCodeAt(i))) i++
      result.push({ kind: 'word', text: text.slice(from, i) })
    } else {
      i++
      result.push({ kind: 'mark', text: text.slice(from, i) })
    }
  }
  return result
}

/** Two digits mean 2000 to 2049 or 1950 to 1999, three digits add 1900 (RFC 5322 §4.3). */
function fullYear(digits: string): number {
  const year = Number(digits)
  if (digits.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return digits.length === 3 ? 1900 + year : year
}

/**
 * Minutes east of UTC of what follows the time. A zone that nobody knows, and a military letter
 * (RFC 822 had their sign wrong), is -0000: UTC (RFC 5322 §4.3). So is a missing one.
 */
function zoneMinutes(sign: Piece | undefined, digits: Piece | undefined): number | undefined {
  if (sign === undefined) return 0
  if (sign.kind === 'word') return ZONES[sign.text.toUpperCase()] ?? 0
  if (sign.text !== '+' && sign.text !== '-') return undefined
  if (digits?.kind !== 'number' || digits.text.length !== 4) return undefined
  const minutes = Number(digits.text.slice(2))
  if (minutes > 59) return undefined
  const east = Number(digits.text.slice(0, 2)) * 60 + minutes
  return sign.text === '-' ? -east : east
}

/** A number of at least `min` and at most `max`, written with one or two digits. */
function numberIn(piece: Piece | undefined, min: number, max: number): number | undefined {
  if (piece?.kind !== 'number' || piece.text.length > 2) return undefined
  const value = Number(piece.text)
  return value >= min && value <= max ? value : undefined
}

/**
 * ```
 * date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone
 * ```
 * Gives ms since the epoch, or undefined where the text is no date-time. A wrong day of the week
 * is overlooked; a leap second (:60) counts as the next second (RFC 5322 §3.3).
 */
export function parseDate(text: string): number | undefined {
  const read = readDate(text)
  return read && read.localMs - read.zoneMinutes * 60_000
}

/** The same as if its zone were UTC: the day and hour as they are written (RFC 9051 §6.4.4 SENTON). */
export function parseLocalDate(text: string): number | undefined {
  return readDate(text)?.localMs
}

function readDate(
  text: string,
): { readonly localMs: number; readonly zoneMinutes: number } | undefined {
  const all = pieces(text.slice(0, TEXT_MAX_CHARS))
  let i = 0
  if (all[0]?.kind === 'word') i = all[1]?.text === ',' ? 2 : 1
  const day = numberIn(all[i], 1, 31)
  const month = MONTHS.indexOf(capitalised(all[i + 1]))
  const yearPiece = all[i + 2]
  const hour = numberIn(all[i + 3], 0, 23)
  const minute = numberIn(all[i + 5], 0, 59)
  if (day === undefined || month < 0 || hour === undefined || minute === undefined) return undefined
  if (yearPiece?.kind !== 'number' || yearPiece.text.length < 2 || yearPiece.text.length > 4) {
    return undefined
  }
  if (all[i + 4]?.text !== ':') return undefined
  const hasSecond = all[i + 6]?.text === ':'
  const second = hasSecond ? numberIn(all[i + 7], 0, 60) : 0
  const zoneAt = hasSecond ? i + 8 : i + 6
  const zone = zoneMinutes(all[zoneAt], all[zoneAt + 1])
  if (second === undefined || zone === undefined) return undefined
  const year = fullYear(yearPiece.text)
  const midnight = new Date(Date.UTC(2000, month, day))
  midnight.setUTCFullYear(year, month, day)
  // The 31st of April rolls over into May: such a day does not exist.
  if (midnight.getUTCDate() !== day || year < 1900) return undefined
  const localMs = midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
  return { localMs, zoneMinutes: zone }
}

function capitalised(piece: Piece | undefined): string {
  if (piece?.kind !== 'word') return ''
  return piece.text.slice(0, 1).toUpperCase() + piece.text.slice(1).toLowerCase()
}
