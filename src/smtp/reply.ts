/**
 * Replies on the wire (RFC 5321 §4.2), both ways: the server session formats them, the client
 * session parses them line by line. The reply itself is the noun of mail/status.ts.
 *
 *     Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 */
import type { Detail, Reply } from '../mail/status.ts'
import { enhancedCode } from '../mail/status.ts'

/** The reply as it is sent; every line carries the enhanced code (RFC 2034 §4). */
export function formatReply(reply: Reply): string {
  const enhanced = enhancedCode(reply)
  const between = enhanced === undefined ? '' : `${enhanced} `
  const last = reply.lines.length - 1
  if (last === 0) return `${reply.code} ${between}${reply.lines[0]}\r\n`
  let text = ''
  for (let i = 0; i <= last; i++) {
    text += `${reply.code}${i === last ? ' ' : '-'}${between}${reply.lines[i]}\r\n`
  }
  return text
}

/** What is kept of a reply; EHLO replies have some 20 lines. The lines behind it are only counted. */
const KEPT_LINES = 2_000
const KEPT_CHARACTERS = 65_536
/** A reply of more is none: some servers have banners of a thousand lines, none has these. */
const LINES_MAX = 10_000
const CHARACTERS_MAX = 1_048_576

const CR_OR_LF = /[\r\n]/

export type ReplyState = 'more' | 'malformed' | Reply

/** Puts reply lines together. One parser serves a whole connection. */
export class ReplyParser {
  #code = 0
  #lines: string[] = []
  #read = 0
  #characters = 0

  /** True in the middle of a multi-line reply. */
  get unfinished(): boolean {
    return this.#read > 0
  }

  /**
   * Takes one line without its CRLF. With `enhanced` a status code before the text is taken off
   * every line and its detail kept (RFC 3463); it counts only where its class fits the code.
   *
   * §4.2.1: the codes of a reply's lines must be the same. Where they differ the last one counts, as
   * in the field, but not across classes: a yes that is also a no is no reply.
   */
  line(text: string, enhanced: boolean): ReplyState {
    const code = replyCode(text)
    const separator = text[3]
    const wellFormed =
      code > 0 &&
      (separator === undefined || separator === ' ' || separator === '-') &&
      (this.#read === 0 || classOf(code) === classOf(this.#code)) &&
      !CR_OR_LF.test(text)
    this.#read += 1
    this.#characters += text.length
    if (!wellFormed || this.#read > LINES_MAX || this.#characters > CHARACTERS_MAX) {
      this.reset()
      return 'malformed'
    }
    this.#code = code
    const fits = this.#lines.length < KEPT_LINES && this.#characters <= KEPT_CHARACTERS
    // The last line is kept in any case: it decides.
    if (fits || separator !== '-') this.#lines.push(text.slice(4))
    if (separator === '-') return 'more'
    const lines = this.#lines
    this.reset()
    return enhanced ? withDetail(code, lines) : { code, lines }
  }

  /** Forgets a half reply: the connection was secured or given up. */
  reset(): void {
    this.#code = 0
    this.#lines = []
    this.#read = 0
    this.#characters = 0
  }
}

/** Reply-code = %x32-35 %x30-35 %x30-39; some servers use second digits above 5. */
function replyCode(text: string): number {
  return /^[2-5][0-9][0-9]/.test(text) ? Number(text.slice(0, 3)) : 0
}

/** RFC 3463 §2: status-code = class "." subject "." detail, subject and detail of 1 to 3 digits. */
const STATUS = /^([245])\.(\d{1,3}\.\d{1,3})(?: |$)/

function withDetail(code: number, lines: readonly string[]): Reply {
  // The last line decides, since some leave it off the first lines; others have it there alone.
  const [first = ''] = lines
  const found = statusOf(lines.at(-1), code) ?? statusOf(first, code)
  if (found === undefined) return { code, lines }
  // Nearly every reply.
  if (lines.length === 1) {
    return { code, detail: found[2] as Detail, lines: [first.slice(found[0].length)] }
  }
  const prefix = `${found[1]}.${found[2]}`
  return {
    code,
    detail: found[2] as Detail,
    lines: lines.map(line =>
      line.startsWith(prefix) ? line.slice(prefix.length).replace(/^ /, '') : line,
    ),
  }
}

/** A status code counts only where its class is the code's own (RFC 2034 §4). */
function statusOf(line: string | undefined, code: number): RegExpExecArray | undefined {
  const found = STATUS.exec(line ?? '')
  return found !== null && Number(found[1]) === classOf(code) ? found : undefined
}

function classOf(code: number): number {
  return Math.floor(code / 100)
}

/** Splits a whole reply text, as tests have it; undefined where it is not exactly one reply. */
export function parseReply(text: string, enhanced = true): Reply | undefined {
  const parser = new ReplyParser()
  const lines = text.replace(/\r\n$/, '').split('\r\n')
  let state: ReplyState = 'more'
  for (const line of lines) {
    if (state !== 'more') return undefined
    state = parser.line(line, enhanced)
  }
  return typeof state === 'string' ? undefined : state
}
