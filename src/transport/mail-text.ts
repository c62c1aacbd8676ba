/**
 * A message in the form of programs and files: LF line ends, a From_ line, our trace fields, From_ quoting.
 * Used by transport/pipe.ts, maildir.ts and mbox.ts.
 */
import { type Address, formatAddress, formatPath } from '../mail/address.ts'
import type { Source } from '../wire/effect.ts'

/** Whose name stands for the null reverse-path where one must stand. */
export const NOBODY = 'MAILER-DAEMON'

/** RFC 5321 §4.4: final delivery puts the reverse-path in front; Delivered-To stops loops. LF line ends. */
export function traceFields(reversePath: Address | null, recipient: Address): string {
  return `Return-Path: ${formatPath(reversePath)}\nDelivered-To: ${formatAddress(recipient)}\n`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/**
 * The line in front of a message in an mbox (RFC 4155), as asctime(3) writes times: `From joe@example.org
 * Thu Jan  1 00:00:00 2026`. UUCP adds from where (RFC 976 §2.4). Without its line end.
 */
export function fromLine(reversePath: Address | null, timeMs: number, uucpName?: string): string {
  // One word: blanks of a quoted local part would be taken for the end of it.
  const sender = reversePath === null ? NOBODY : formatAddress(reversePath).replace(/\s/g, '_')
  const at = new Date(timeMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = String(at.getUTCDate()).padStart(2, ' ')
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
  const date = `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${day} ${time} ${at.getUTCFullYear()}`
  return `From ${sender} ${date}${uucpName === undefined ? '' : ` remote from ${uucpName}`}`
}

const CR = 13
const LF = 10

/** CRLF becomes LF; a CR that stands alone stays. */
export async function* withLf(source: Source): AsyncGenerator<Uint8Array, void, void> {
  let pending = false
  for await (const octets of source instanceof Uint8Array ? [source] : source) {
    if (octets.length === 0) continue
    const text = Buffer.alloc(octets.length + 1)
    let length = 0
    if (pending && octets[0] !== LF) text[length++] = CR
    pending = octets[octets.length - 1] === CR
    const end = pending ? octets.length - 1 : octets.length
    for (let i = 0; i < end; i++) {
      const octet = octets[i] as number
      if (octet !== CR || octets[i + 1] !== LF) text[length++] = octet
    }
    if (length > 0) yield text.subarray(0, length)
  }
  if (pending) yield Buffer.from([CR])
}

const FROM_ = Buffer.from('From ')
const QUOTE = 0x3e

/**
 * Puts a `>` in front of `From ` in every line that begins with it, or with it behind `>`s: so that it is
 * undone without loss (the "mboxrd" form). Of LF line ends; the last line is ended.
 */
export async function* quoted(source: AsyncIterable<Uint8Array>) {
  // How much of `From ` stands at the beginning of the line so far and is held back; -1 within a line.
  let matched = 0
  let last = LF
  for await (const given of source) {
    const octets = Buffer.from(given.buffer, given.byteOffset, given.length)
    const out: Buffer[] = []
    let from = 0
    for (let i = 0; i < octets.length; ) {
      if (matched < 0) {
        const end = octets.indexOf(LF, i)
        if (end < 0) break
        i = end + 1
        matched = 0
        continue
      }
      const octet = octets[i] as number
      if (octet === FROM_[matched]) {
        if (matched === 0) {
          out.push(octets.subarray(from, i))
          from = i
        }
        matched++
        i++
        from = i
        if (matched < FROM_.length) continue
        out.push(Buffer.from([QUOTE]), FROM_)
        matched = -1
        continue
      }
      if (matched > 0) out.push(FROM_.subarray(0, matched))
      const begins = octet === LF || (octet === QUOTE && matched === 0)
      matched = begins ? 0 : -1
      i++
    }
    if (from < octets.length) out.push(octets.subarray(from))
    last = octets.at(-1) ?? last
    if (out.length > 0) yield out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out)
  }
  if (matched > 0) yield FROM_.subarray(0, matched)
  if (last !== LF) yield Buffer.from('\n')
}

/** Some text, then a source. */
export async function* behind(text: string, source: AsyncIterable<Uint8Array> | Source) {
  if (text !== '') yield Buffer.from(text)
  if (source instanceof Uint8Array) yield source
  else yield* source
}
