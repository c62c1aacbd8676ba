/**
 * Replies out of received octets: lines (wire/line.ts), put together (smtp/reply.ts), made readable.
 * Kept by session.ts; bounded in line, lines and characters by what it is built of.
 */
import type { Reply } from '../../mail/status.ts'
import { LineReader } from '../../wire/line.ts'
import { Octets } from '../../wire/octets.ts'
import { ReplyParser } from '../reply.ts'

/** RFC 5321 §4.5.3.1.5 says 512; a challenge of AUTH may have 12288 (RFC 4954 §4). */
const LINE_MAX_OCTETS = 16_384
/** Of a longer line its head is read, code and all; one of this much is no line any more. */
const ENDLESS_OCTETS = 262_144

export class ReplyReader {
  /** The line that made the last reply malformed, cut short. */
  offence = ''
  readonly #input = new Octets()
  // Replies that end in a lone LF are understood: a server's line ends harm nobody else.
  readonly #lines = new LineReader(this.#input, true)
  readonly #parser = new ReplyParser()

  /** Octets not read yet. */
  get octets(): number {
    return this.#input.length
  }

  /** True where anything at all came behind the last whole reply. */
  get pending(): boolean {
    return this.#input.length > 0 || this.#parser.unfinished || this.#lines.dropping
  }

  push(octets: Uint8Array): void {
    this.#input.push(octets)
  }

  /** What was pushed and is not read yet becomes our own. */
  keep(): void {
    this.#input.keep()
  }

  /** The next reply; undefined while none is whole. Status codes are read anywhere: no EHLO keyword is one. */
  next(): Reply | 'malformed' | undefined {
    for (;;) {
      const line = this.#lines.next(LINE_MAX_OCTETS)
      if (line === 'more') {
        if (this.#lines.droppedOctets <= ENDLESS_OCTETS) return undefined
        this.offence = 'a line without end'
        return 'malformed'
      }
      const text = readable(this.#lines.text)
      const reply = this.#parser.line(text, true)
      if (reply === 'more') continue
      if (reply === 'malformed') this.offence = text.slice(0, 80)
      return reply
    }
  }

  clear(): void {
    this.#input.clear()
    this.#parser.reset()
  }
}

/** Nearly every reply. */
const PLAIN = /^[\t\n\x20-\x7e]*$/

/** Reply text is UTF-8 where it is not ASCII (RFC 6531 §3.7.4.2); controls would forge log lines, and C1 drive a terminal. */
function readable(text: string): string {
  if (PLAIN.test(text)) return text
  const clean = /[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
  return clean.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]/g, '?')
}
