/**
 * Commands out of the octets a client sent (RFC 5321 §4.1.1, §2.4): the verb, its argument, and every
 * reason why a line is not a command at all. Called by session.ts; it replies nothing itself.
 */
import type { Reply } from '../../mail/status.ts'
import { LineReader } from '../../wire/line.ts'
import type { Octets } from '../../wire/octets.ts'
import { leftOut } from '../extension/left-out.ts'
import { replies } from '../replies.ts'
import type { Conversation } from './conversation.ts'
import type { Verb } from './state.ts'
import type { ResponseLine } from './turn.ts'
import { type VerbRow, verbs } from './verb/table.ts'

/** RFC 5321 §4.5.3.1.4; RFC 6531 §3.7.4.2 adds ten for VRFY and EXPN. */
const COMMAND_MAX = 512
const LOOK_UP_MAX = 522
/** RFC 4954 §4: both for the command and for the lines of the exchange; no line is longer. */
const AUTH_MAX = 12_288
/** Of XCLIENT and XFORWARD, whose values are xtext of up to 255 octets each. */
const ATTRIBUTES_MAX = 4_096
/** RFC 4468 has no length of its own, and a signed URL of a mailbox with a long name is longer than other commands. */
const BURL_MAX = 4_096
/** A line thrown away for so long will not end: the session does. */
const ENDLESS = 1_048_576

export type Command =
  | {
      readonly kind: 'command'
      readonly verb: Verb
      readonly row: VerbRow
      readonly argument: string
    }
  | { readonly kind: 'fault'; readonly reply: Reply }
  /** A web browser, or a form that was made to talk to us: nothing it sends may be obeyed. */
  | { readonly kind: 'http' }

const rows: ReadonlyMap<string, { readonly verb: Verb; readonly row: VerbRow }> = new Map(
  Object.entries(verbs).map(([verb, row]) => [verb, { verb: verb as Verb, row }]),
)
/** Known, and left out on purpose. */
const unimplemented: ReadonlySet<string> = new Set(leftOut.flatMap(each => each.verbs ?? []))
const http: ReadonlySet<string> = new Set(
  'GET POST PUT HEAD OPTIONS CONNECT DELETE PATCH TRACE'.split(' '),
)

/** RFC 5321 §2.3.8 and §4.1.1: none of them can be in a command. */
const BAD_OCTETS = /[\0\r\n]/
const BEYOND_ASCII = /[\x80-\xff]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class CommandReader {
  readonly #input: Octets
  readonly #lines: LineReader
  readonly #conversation: Conversation

  constructor(input: Octets, conversation: Conversation) {
    this.#input = input
    this.#conversation = conversation
    // Printers and scripts end lines with LF (RFC 6409 leaves submission room to be kind).
    this.#lines = new LineReader(input, conversation.settings.bareLineEnds === 'normalize')
  }

  /** True where a line is so long that nothing but closing helps. */
  get endless(): boolean {
    return this.#lines.droppedOctets > ENDLESS
  }

  /** True where the peer may have ended its line with LF alone, and waits for us as we do for it. */
  get stuck(): boolean {
    return this.#lines.endsInLoneLf
  }

  /** Throws an unfinished line away, unread. */
  forget(): void {
    this.#lines.forget()
  }

  /** The next command, or undefined while its line is not whole. */
  next(): Command | undefined {
    const state = this.#lines.next(AUTH_MAX)
    if (state === 'more') return undefined
    if (state === 'overlong') {
      // RFC 4954 §4: of AUTH it is said in words of its own.
      const ofAuth = /^AUTH /i.test(this.#lines.text)
      return fault(ofAuth ? replies.responseTooLong : replies.lineTooLong)
    }
    const line = trimEnd(this.#lines.text)
    const space = line.indexOf(' ')
    const name = space < 0 ? line : line.slice(0, space)
    // Most clients shout.
    const found = rows.get(name) ?? rows.get(name.toUpperCase())
    if (found === undefined) return this.#unknown(line, name.toUpperCase())
    const { verb, row } = found
    if (this.#lines.octets > this.#limit(verb)) {
      return fault(verb === 'AUTH' ? replies.responseTooLong : replies.lineTooLong)
    }
    if (BAD_OCTETS.test(line)) return fault(replies.badOctets)
    const { dialect, settings } = this.#conversation
    if (row.only === 'extension') {
      const bringer = dialect.verbs.get(verb)
      if (bringer === undefined) return fault(replies.notImplemented)
      if (!this.#conversation.shows(bringer)) return fault(replies.notTrusted)
    }
    if ((row.only === 'smtp' || row.only === 'lmtp') && row.only !== settings.protocol) {
      return fault(replies.unknownCommand)
    }
    let argument = space < 0 ? '' : trimStart(line.slice(space + 1))
    if (BEYOND_ASCII.test(argument)) {
      const decoded = row.utf8 ? decode(argument) : undefined
      if (decoded === undefined) return fault(replies.badUtf8)
      argument = decoded
    }
    if (row.argument === 'none' && argument !== '') return fault(replies.takesNoArgument)
    if (row.argument === 'one' && argument === '') return fault(replies.needsArgument)
    return { kind: 'command', verb, row, argument }
  }

  /** The argument of the next line where it is a whole RCPT, or why it is a bad one (RFC 2920 §3.1). */
  nextRcpt(): string | Reply | undefined {
    const { buffer, from, length } = this.#input
    if (length < 6 || this.#lines.dropping || !startsRcpt(buffer, from)) return undefined
    const command = this.next()
    if (command === undefined || command.kind === 'http') return undefined
    return command.kind === 'fault' ? command.reply : command.argument
  }

  /** A line of an AUTH exchange (RFC 4954 §4), or undefined while it is not whole. */
  response(): ResponseLine | undefined {
    const state = this.#lines.next(AUTH_MAX)
    if (state === 'more') return undefined
    return state === 'overlong' ? 'overlong' : { kind: 'response', text: this.#lines.text }
  }

  #unknown(line: string, name: string): Command {
    if (http.has(name)) return { kind: 'http' }
    if (BAD_OCTETS.test(line)) return fault(replies.badOctets)
    if (this.#lines.octets > COMMAND_MAX) return fault(replies.lineTooLong)
    if (line === '') return fault(replies.emptyCommand)
    return fault(unimplemented.has(name) ? replies.notImplemented : replies.unknownCommand)
  }

  #limit(verb: Verb): number {
    switch (verb) {
      case 'MAIL':
        return this.#conversation.dialect.mailMaxOctets
      case 'RCPT':
        return this.#conversation.dialect.rcptMaxOctets
      case 'AUTH':
        return AUTH_MAX
      case 'BURL':
        return BURL_MAX
      case 'XCLIENT':
      case 'XFORWARD':
        return ATTRIBUTES_MAX
      case 'VRFY':
      case 'EXPN':
        return LOOK_UP_MAX
      default:
        return COMMAND_MAX
    }
  }
}

function fault(reply: Reply): Command {
  return { kind: 'fault', reply }
}

/** UTF-8 whose octets were read as one character each; undefined where it is not UTF-8. */
function decode(octets: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(octets, 'latin1'))
  } catch {
    return undefined
  }
}

/** RFC 5321 §4.1.1: white space before the line's end is tolerated. */
function trimEnd(line: string): string {
  let end = line.length
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end -= 1
  return end === line.length ? line : line.slice(0, end)
}

function trimStart(text: string): string {
  let start = 0
  while (start < text.length && isBlank(text.charCodeAt(start))) start += 1
  return start === 0 ? text : text.slice(start)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** "RCPT " in any case. */
function startsRcpt(buffer: Buffer, at: number): boolean {
  return (
    buffer[at + 4] === 0x20 &&
    ((buffer[at] ?? 0) | 0x20) === 0x72 &&
    ((buffer[at + 1] ?? 0) | 0x20) === 0x63 &&
    ((buffer[at + 2] ?? 0) | 0x20) === 0x70 &&
    ((buffer[at + 3] ?? 0) | 0x20) === 0x74
  )
}
