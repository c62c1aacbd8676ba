/**
 * Gathers one command of a client from its lines and literals (RFC 9051 §2.2.1, §4.3; RFC 7888 for
 * `{n+}`), within bounds of its own: a command that is too long is refused without being kept. The octets of
 * APPEND are not gathered: such a command is given out as soon as its message literal is announced.
 */
import { LineReader } from '../../wire/line.ts'
import type { Octets } from '../../wire/octets.ts'
import { type Announced, Cursor, type Segment } from '../cursor.ts'
import { type CommandName, type CommandRow, commands, isCommandName } from './commands.ts'
import { legality, type State } from './state.ts'
import { bad, type Line, no, type Overlong, type Result } from './turn.ts'

/** RFC 7162 §4 speaks of 8192 for a line; clients with long sets send more. */
const LINE_MAX_OCTETS = 65_536
/** Lines and literals of one command that are kept; before login only a name and a password can be meant. */
const KEPT_MAX_OCTETS = 1_048_576
/** What a literal costs at least: a thousand of nothing are too many. */
const LITERAL_OCTETS = 256
const KEPT_BEFORE_LOGIN_OCTETS = 8_192
/** What a client sends without asking and we cannot use is read to its end, up to this; else we hang up. */
const SWALLOW_MAX_OCTETS = 16 * 1_048_576
/** How much of a line that does not end is thrown away before we hang up. */
const DROPPED_MAX_OCTETS = 1_048_576

export type Gathered =
  /** Too little input, so far. */
  | { readonly kind: 'more' }
  /** A literal may follow: say `+`. */
  | { readonly kind: 'continue' }
  | {
      readonly kind: 'command'
      readonly tag: string
      readonly name: CommandName
      readonly cursor: Cursor
    }
  /** It is answered at once. `*` is the tag of what has none. */
  | { readonly kind: 'fault'; readonly tag: string; readonly result: Result }
  | { readonly kind: 'hang up'; readonly why: string }

const more: Gathered = { kind: 'more' }

export class Gatherer {
  readonly #input: Octets
  readonly #lines: LineReader
  #segments: Segment[] = []
  #keptOctets = 0
  /** The literal that is being read. */
  #literal: Announced | undefined
  /** Octets still to be thrown away, and what is said behind them. */
  #swallowLeft = 0
  #fault: Result | undefined

  constructor(input: Octets) {
    this.#input = input
    // Clients that end a line with LF alone exist, and nothing is smuggled into one's own mailbox.
    this.#lines = new LineReader(input, true)
  }

  /** True where a line has gone on for so long that it will not end. */
  get endless(): boolean {
    return this.#lines.droppedOctets > DROPPED_MAX_OCTETS
  }

  /** A line by itself: of a SASL exchange, of IDLE, or behind a streamed literal. */
  line(): Line | Overlong | 'more' {
    const found = this.#lines.next(LINE_MAX_OCTETS)
    if (found === 'more') return 'more'
    if (found === 'overlong') {
      const behind = announced(this.#lines.tail)
      return { kind: 'overlong', ...(behind && { literal: behind }) }
    }
    const literal = announced(this.#lines.text)
    if (literal === undefined) return { kind: 'line', text: this.#lines.text }
    return { kind: 'line', text: withoutAnnouncement(this.#lines.text), literal }
  }

  /** The next command, as far as it is here. */
  command(state: State): Gathered {
    for (;;) {
      if (this.#swallowLeft > 0 || this.#fault !== undefined) {
        const done = this.#swallow()
        if (done !== undefined) return done
      } else if (this.#literal !== undefined) {
        if (!this.#keep(this.#literal)) return more
      } else {
        const found = this.#nextLine(state)
        if (found !== undefined) return found
      }
    }
  }

  /** Takes a line; undefined where the command goes on behind it. */
  #nextLine(state: State): Gathered | undefined {
    const found = this.#lines.next(LINE_MAX_OCTETS)
    if (found === 'more') return more
    if (found === 'overlong') {
      // Its head is kept: the tag is there, and is answered by. One that goes on behind it is none.
      const head = this.#lines.text
      if (this.#segments.length === 0) this.#segments.push(head.includes(' ') ? head : '')
      const literal = announced(this.#lines.tail)
      const fault = bad('the line is too long')
      return literal === undefined ? this.#give(fault) : this.#throwAway(literal, fault)
    }
    const { text } = this.#lines
    const literal = announced(text)
    if (literal === undefined) {
      this.#segments.push(text)
      return this.#whole()
    }
    this.#segments.push(withoutAnnouncement(text))
    this.#keptOctets += text.length
    const { name, cursor } = this.#start()
    const legal = name !== undefined && legality[name].includes(state)
    // Where nothing can come of it, the literal is not asked for; one that comes unasked is no command.
    if (!legal) return literal.waits ? this.#whole(literal) : this.#announce(literal, state)
    // Whether it is the message of APPEND, and not the name of its mailbox.
    if ((commands[name] as CommandRow).streams?.(cursor) === true) return this.#whole(literal)
    return this.#announce(literal, state)
  }

  #announce(literal: Announced, state: State): Gathered | undefined {
    const most = state === 'not authenticated' ? KEPT_BEFORE_LOGIN_OCTETS : KEPT_MAX_OCTETS
    this.#keptOctets += literal.sizeOctets + LITERAL_OCTETS
    if (this.#keptOctets > most) {
      return this.#throwAway(literal, no('the literal is too large', 'TOOBIG'))
    }
    this.#literal = literal
    return literal.waits ? { kind: 'continue' } : undefined
  }

  /** RFC 7888 §4: a literal that comes without asking must be read, or the connection closed. */
  #throwAway(literal: Announced, fault: Result): Gathered | undefined {
    if (literal.waits) return this.#give(fault)
    if (literal.sizeOctets > SWALLOW_MAX_OCTETS) {
      return { kind: 'hang up', why: 'the literal is too large' }
    }
    this.#swallowLeft = literal.sizeOctets
    this.#fault = fault
    return undefined
  }

  /** Keeps a literal once it is whole. */
  #keep({ sizeOctets, binary }: Announced): boolean {
    if (this.#input.length < sizeOctets) return false
    const { buffer, from } = this.#input
    const octets = Uint8Array.prototype.slice.call(buffer, from, from + sizeOctets)
    this.#input.consume(sizeOctets)
    this.#segments.push({ octets, binary })
    this.#literal = undefined
    return true
  }

  /** Throws away an unwanted literal and the rest of its command, line by line. */
  #swallow(): Gathered | undefined {
    const count = Math.min(this.#swallowLeft, this.#input.length)
    this.#input.consume(count)
    this.#swallowLeft -= count
    if (this.#swallowLeft > 0) return more
    const found = this.#lines.next(LINE_MAX_OCTETS)
    if (found === 'more') return more
    const literal = announced(found === 'line' ? this.#lines.text : this.#lines.tail)
    const fault = this.#fault ?? bad('the line is too long')
    return literal === undefined ? this.#give(fault) : this.#throwAway(literal, fault)
  }

  /** The command that is here, up to an announced literal where there is one. */
  #whole(literal?: Announced): Gathered {
    const { tag, name, cursor, word } = this.#start(literal)
    if (tag === undefined) return this.#give(bad('a command begins with a tag and a space'))
    if (name === undefined) return this.#give(bad(`${word} is no command`))
    this.#forget()
    return { kind: 'command', tag, name, cursor }
  }

  /** Reads tag and name; the cursor is behind them. */
  #start(literal?: Announced): {
    readonly tag?: string
    readonly name?: CommandName
    readonly cursor: Cursor
    readonly word: string
  } {
    const cursor = new Cursor(this.#segments, literal)
    const tag = readTag(cursor)
    cursor.space()
    if (tag === '') return { cursor, word: '' }
    let word = cursor.word()
    if (word === 'UID') {
      cursor.space()
      word = `UID ${cursor.word()}`
    }
    const shown = word.slice(0, 40) || 'nothing'
    if (cursor.fault !== undefined || !isCommandName(word)) return { tag, cursor, word: shown }
    return { tag, name: word, cursor, word: shown }
  }

  #give(result: Result): Gathered {
    const { tag } = this.#start()
    this.#forget()
    return { kind: 'fault', tag: tag ?? '*', result }
  }

  #forget(): void {
    this.#segments = []
    this.#keptOctets = 0
    this.#literal = undefined
    this.#fault = undefined
  }
}

/** tag = 1*<any ASTRING-CHAR except "+">. */
function readTag(cursor: Cursor): string {
  const tag = cursor.atom(']')
  return tag.includes('+') ? '' : tag
}

/** However many digits it has: what is announced beyond all numbers is no command either. */
const ANNOUNCEMENT = /(~?)\{(\d+)(\+?)\}$/

/** `{n}`, `{n+}`, `~{n}` at the end of a line. */
function announced(text: string): Announced | undefined {
  // The last character tells most lines apart without a search.
  if (!text.endsWith('}')) return undefined
  const match = ANNOUNCEMENT.exec(text)
  if (match === null) return undefined
  return { sizeOctets: Number(match[2]), waits: match[3] === '', binary: match[1] === '~' }
}

function withoutAnnouncement(text: string): string {
  return text.replace(ANNOUNCEMENT, '')
}
