/**
 * Encoded-words (RFC 2047) and encoded parameter values (RFC 2231): other scripts in ASCII fields.
 *
 * Decoding is for people and search only: an address is never taken from decoded text. A charset
 * nobody knows leaves the word as it stood. Encoding always writes UTF-8. All of it is linear:
 * the end of an encoded-word is the next `?`, wherever that is.
 */

/** RFC 2047 §2: an encoded-word has at most 75 characters. */
const WORD_MAX_CHARS = 75
const PREFIX_B = '=?UTF-8?B?'
const PREFIX_Q = '=?UTF-8?Q?'
/** So many different charsets in one text are tried; the rest is left as it is. */
const CHARSETS_MAX = 16

interface Word {
  readonly charset: string
  readonly octets: Buffer
  /** Behind the closing `?=`. */
  readonly next: number
}

/**
 * ```
 * encoded-word = "=?" charset [ "*" language ] "?" encoding "?" encoded-text "?="
 * ```
 * (RFC 2047 §2, RFC 2231 §5). Spaces within Q text are taken though they are wrong.
 */
function readWord(text: string, at: number): Word | undefined {
  const first = text.indexOf('?', at + 2)
  if (first < 0 || first - at > 60 || text[first + 2] !== '?') return undefined
  const encoding = text[first + 1]
  const last = text.indexOf('?', first + 3)
  if (last < 0 || text[last + 1] !== '=') return undefined
  const charset = (text.slice(at + 2, first).split('*')[0] ?? '').toLowerCase()
  if (!/^[\w.:+-]+$/.test(charset)) return undefined
  const data = text.slice(first + 3, last)
  if (encoding === 'B' || encoding === 'b') {
    return { charset, octets: Buffer.from(data, 'base64'), next: last + 2 }
  }
  if (encoding !== 'Q' && encoding !== 'q') return undefined
  return { charset, octets: decodeQ(data), next: last + 2 }
}

function decodeQ(data: string): Buffer {
  const text = data
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  return Buffer.from(text, 'latin1')
}

/** Decoders that were asked for in one text; `undefined` for a charset nobody knows. */
type Decoder = InstanceType<typeof TextDecoder>
type Decoders = Map<string, Decoder | undefined>

function decoderOf(charset: string, known: Decoders): Decoder | undefined {
  if (known.has(charset) || known.size >= CHARSETS_MAX) return known.get(charset)
  let decoder: Decoder | undefined
  try {
    decoder = new TextDecoder(charset)
  } catch {
    decoder = undefined
  }
  known.set(charset, decoder)
  return decoder
}

/** Decoded text must not bring back what a header line cannot hold. */
function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, ' ')
}

/** The end of white space at `at`, if an encoded-word follows it; else `at`. */
function skipGap(text: string, at: number): number {
  let i = at
  while (text[i] === ' ' || text[i] === '\t') i++
  return text[i] === '=' && text[i + 1] === '?' ? i : at
}

/**
 * Text with its encoded-words decoded. White space between two of them goes (RFC 2047 §6.2), and
 * neighbours of one charset are decoded together, for mailers that cut a character in two.
 */
export function decodeWords(text: string): string {
  let at = text.indexOf('=?')
  if (at < 0) return text
  const known: Decoders = new Map()
  let result = ''
  let done = 0
  while (at >= 0) {
    let word = readWord(text, at)
    const decoder = word === undefined ? undefined : decoderOf(word.charset, known)
    if (word === undefined || decoder === undefined) {
      at = text.indexOf('=?', word?.next ?? at + 2)
      continue
    }
    // Where another encoded-word was decoded just before, the white space between them goes.
    const gap = text.slice(done, at)
    if (done === 0 || gap.trim() !== '') result += gap
    const run: Buffer[] = []
    const { charset } = word
    while (word !== undefined && word.charset === charset) {
      run.push(word.octets)
      done = word.next
      const start = skipGap(text, done)
      word = start > done || text.startsWith('=?', start) ? readWord(text, start) : undefined
    }
    result += withoutControls(decoder.decode(run.length === 1 ? run[0] : Buffer.concat(run)))
    at = text.indexOf('=?', done)
  }
  return result + text.slice(done)
}

/** Characters that stand for themselves in the Q encoding of a phrase (RFC 2047 §5 (3)). */
function isPlain(octet: number): boolean {
  return (
    (octet >= 48 && octet <= 57) ||
    (octet >= 65 && octet <= 90) ||
    (octet >= 97 && octet <= 122) ||
    octet === 33 ||
    octet === 42 ||
    octet === 43 ||
    octet === 45 ||
    octet === 47
  )
}

function encodeQ(octets: Buffer): string {
  let result = ''
  for (const octet of octets) {
    if (isPlain(octet)) result += String.fromCharCode(octet)
    else if (octet === 32) result += '_'
    else result += `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return result
}

/** The octets of one character in UTF-8. */
function octetsOf(char: string): number {
  const code = char.codePointAt(0) ?? 0
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
}

/** The length of one character in Q. */
function costInQ(char: string): number {
  const octets = octetsOf(char)
  return octets === 1 && (char === ' ' || isPlain(char.charCodeAt(0))) ? 1 : 3 * octets
}

/**
 * The text as encoded-words of at most 75 characters joined by single spaces, at which a line may
 * fold. Q, which people can half read, unless B is far shorter; no character is cut in two (RFC 2047 §5). Any text is safe.
 */
export function encodeWords(text: string): string {
  const whole = text.toWellFormed()
  let inQ = 0
  for (const char of whole) inQ += costInQ(char)
  const q = inQ <= Buffer.byteLength(whole) * 2
  const prefix = q ? PREFIX_Q : PREFIX_B
  const roomChars = WORD_MAX_CHARS - prefix.length - 2
  const room = q ? roomChars : Math.floor(roomChars / 4) * 3
  const words: string[] = []
  let run = ''
  let used = 0
  const flush = (): void => {
    const octets = Buffer.from(run)
    if (run !== '') words.push(`${prefix}${q ? encodeQ(octets) : octets.toString('base64')}?=`)
    run = ''
    used = 0
  }
  for (const char of whole) {
    const cost = q ? costInQ(char) : octetsOf(char)
    if (used + cost > room) flush()
    run += char
    used += cost
  }
  flush()
  return words.join(' ')
}

/** True for text that may stand in a field as it is: printable ASCII that looks like no encoded-word. */
export function isPlainText(text: string): boolean {
  return !/[^\u0020-\u007e]/.test(text) && !text.includes('=?')
}

/** RFC 2045 §5.1 token. */
const TOKEN = /^[\w!#$%&'*+\-.^`{|}~]+$/
const PARAMETER_MAX_CHARS = 60

/**
 * A MIME parameter as the pieces that are to be joined by `;` and a space or fold: `name=value`,
 * `name="value"`, or RFC 2231's `name*=UTF-8''...`, continued as `name*0*=` where it is long.
 */
export function encodeParameter(name: string, value: string): readonly string[] {
  if (value.length <= PARAMETER_MAX_CHARS && isPlainText(value)) {
    return [TOKEN.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`]
  }
  const pieces: string[] = []
  let piece = "UTF-8''"
  for (const char of value.toWellFormed()) {
    const encoded = encodeCharacter(char)
    if (piece.length + encoded.length > PARAMETER_MAX_CHARS) {
      pieces.push(piece)
      piece = ''
    }
    piece += encoded
  }
  pieces.push(piece)
  if (pieces.length === 1) return [`${name}*=${piece}`]
  return pieces.map((part, i) => `${name}*${i}*=${part}`)
}

/** RFC 2231 §7 attribute-char, or `%` and two hexadecimal digits for each octet. */
function encodeCharacter(char: string): string {
  if (/^[\w.\-!#$&+^`{|}~]$/.test(char)) return char
  let result = ''
  for (const octet of Buffer.from(char)) {
    result += `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return result
}
