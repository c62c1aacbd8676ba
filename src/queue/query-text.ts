/**
 * A query as text, and back: `to:*@example.org state:deferred age>1h -from:(a@b.test "c d"@e.test)`.
 * Called by the operations and the command line. Pure.
 *
 *   query    = *( [SP] term )
 *   term     = ["-" / "!"] ( field ":" values / field compare value / value )
 *   compare  = "<" / "<=" / ">" / ">="
 *   values   = value / "(" 1*( [SP] value ) ")"
 *   value    = ["~"] 1*( char / "\" any / DQUOTE *( qchar / "\" any ) DQUOTE )
 *
 * A value alone is the id of a message. `*` stands for anything, `\*` for itself; `~` in front means
 * any part of the text. A mistake is a value with its place, so that it can be pointed at.
 */
import { formatDuration, parseDuration, parseSize } from '../wire/measure.ts'
import {
  AMOUNT_FIELDS,
  type AmountField,
  CHOICE_FIELDS,
  type ChoiceField,
  type Comparison,
  type Pattern,
  type Query,
  TEXT_FIELDS,
  type Term,
  type TextField,
} from './query.ts'

export interface QueryMistake {
  readonly kind: 'mistake'
  readonly message: string
  /** Where in the text, and how far it reaches. */
  readonly at: number
  readonly length: number
}

/** More than anybody writes by hand; below every bound of a database. */
const TEXT_MAX = 4_000
const VALUES_MAX = 200
/** Each star makes a database try again: of these few it never tires. */
const STARS_MAX = 8

/** A message's id (id.ts), or the beginning of one with a star. */
const ID = /^(?:[0-9a-v]{16}|[0-9a-v]{4,15}\*)$/

class Mistake extends Error {
  readonly at: number
  readonly length: number
  constructor(message: string, at: number, length = 1) {
    super(message)
    this.at = at
    this.length = length
  }
}

/** The terms of a text, or what is wrong with it. */
export function parseQuery(text: string): { kind: 'query'; query: Query } | QueryMistake {
  try {
    if (text.length > TEXT_MAX) throw new Mistake(`is over ${TEXT_MAX} characters`, TEXT_MAX)
    return { kind: 'query', query: new Parsing(text).query() }
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    const { message, at, length } = error
    return { kind: 'mistake', message, at, length }
  }
}

/** The mistake under its text, for a terminal. */
export function showMistake(text: string, { message, at, length }: QueryMistake): string {
  // A long text is shown around the place.
  const from = Math.max(0, at - 50)
  const shown = text.slice(from, from + 100).replace(/\s/g, ' ')
  const mark = ' '.repeat(at - from) + '^'.repeat(Math.max(1, Math.min(length, 100)))
  return `${message}\n  ${shown}\n  ${mark}`
}

interface Value {
  readonly pieces: Pattern
  /** `~` stood in front. */
  readonly part: boolean
  readonly at: number
  readonly end: number
}

class Parsing {
  readonly #text: string
  readonly #ids: Pattern[] = []
  #at = 0
  #values = 0

  constructor(text: string) {
    this.#text = text
  }

  query(): Query {
    const terms: Term[] = []
    for (this.#space(); this.#at < this.#text.length; this.#space()) {
      const term = this.#term()
      if (term !== undefined) terms.push(term)
    }
    const any = this.#ids
    return any.length === 0 ? terms : [{ not: false, kind: 'text', field: 'id', any }, ...terms]
  }

  /** Undefined for the id of a message: several of them are one term. */
  #term(): Term | undefined {
    const from = this.#at
    const not = this.#text[from] === '-' || this.#text[from] === '!'
    const start = not ? from + 1 : from
    const head = /^([A-Za-z]+)(:|<=|>=|<|>)/.exec(this.#text.slice(start, start + 40))
    if (head === null) return this.#bare(from, not)
    const [whole, name = '', by = ''] = head
    this.#at = start + whole.length
    const field = name.toLowerCase()
    if (Object.hasOwn(AMOUNT_FIELDS, field)) {
      return this.#amount(field as AmountField, by, not, start)
    }
    if (!Object.hasOwn(TEXT_FIELDS, field) && !Object.hasOwn(CHOICE_FIELDS, field)) {
      throw new Mistake(`there is no ${name}:${likely(field)}`, start, name.length)
    }
    if (by !== ':') throw new Mistake(`${field} is followed by ':'`, this.#at - by.length)
    if (Object.hasOwn(CHOICE_FIELDS, field)) return this.#choice(field as ChoiceField, not)
    const any = this.#list().map(({ pieces, part }) => {
      if (part || field === 'reason') return partOf(pieces)
      return field === 'from' ? withoutBrackets(pieces) : pieces
    })
    return { not, kind: 'text', field: field as TextField, any }
  }

  /** A word without a field is a message's id. */
  #bare(from: number, not: boolean): undefined {
    const value = this.#value()
    const word = value.pieces.join('*')
    const length = value.end - from
    if (word.includes('@')) {
      throw new Mistake(`say whether it is to:${word} or from:${word}`, from, length)
    }
    if (not || !ID.test(word)) {
      throw new Mistake(
        "is neither a message's id nor a field with a value, such as to:joe@example.org",
        from,
        length,
      )
    }
    this.#ids.push(value.pieces)
  }

  #amount(field: AmountField, by: string, not: boolean, start: number): Term {
    const { unit } = AMOUNT_FIELDS[field]
    if (by === ':' && unit !== 'count') {
      throw new Mistake(`${field} is compared: ${field}>${EXAMPLES[unit]}`, start, field.length + 1)
    }
    const { pieces, at, end } = this.#value()
    const text = pieces.length === 1 ? (pieces[0] ?? '') : '*'
    const value = READ[unit](text)
    if (value === undefined) {
      throw new Mistake(`is no ${unit}: ${field}${by}${EXAMPLES[unit]}`, at, Math.max(1, end - at))
    }
    return { not, kind: 'amount', field, by: (by === ':' ? '=' : by) as Comparison, value }
  }

  #choice(field: ChoiceField, not: boolean): Term {
    const known: readonly string[] = CHOICE_FIELDS[field]
    const any = this.#list().map(({ pieces, part, at, end }) => {
      const word = pieces.join('*').toLowerCase()
      if (!part && known.includes(word)) return word
      throw new Mistake(`${field} is one of ${known.join(', ')}`, at, Math.max(1, end - at))
    })
    return { not, kind: 'choice', field, any } as Term
  }

  #list(): Value[] {
    if (this.#text[this.#at] !== '(') return [this.#value()]
    const open = this.#at
    this.#at++
    const values: Value[] = []
    for (;;) {
      this.#space()
      if (this.#at >= this.#text.length) throw new Mistake("'(' has no ')'", open)
      if (this.#text[this.#at] === ')') break
      values.push(this.#value())
    }
    this.#at++
    if (values.length === 0) throw new Mistake('the list is empty', open, 2)
    return values
  }

  #value(): Value {
    const part = this.#text[this.#at] === '~'
    if (part) this.#at++
    const at = this.#at
    if (++this.#values > VALUES_MAX) throw new Mistake(`are over ${VALUES_MAX} values`, at)
    const pieces = ['']
    const add = (text: string) => {
      pieces[pieces.length - 1] += text
    }
    let quoted = -1
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] as string
      if (character === '\\') {
        this.#at++
        if (this.#at >= this.#text.length)
          throw new Mistake("'\\' stands before nothing", this.#at - 1)
        add(this.#text[this.#at] as string)
      } else if (character === '"') quoted = quoted < 0 ? this.#at : -1
      else if (character === '*') pieces.push('')
      else if (quoted < 0 && /[\s()]/.test(character)) break
      else add(character)
    }
    if (quoted >= 0) throw new Mistake('the quote does not end', quoted)
    if (this.#at === at) throw new Mistake('a value is missing here', at)
    if (pieces.length - 1 > STARS_MAX) {
      throw new Mistake(`more than ${STARS_MAX} stars`, at, this.#at - at)
    }
    return { pieces, part, at, end: this.#at }
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
  }
}

const EXAMPLES = { duration: '1h30m', size: '10MB', count: '3' } as const

const READ: Readonly<Record<keyof typeof EXAMPLES, (text: string) => number | undefined>> = {
  duration: parseDuration,
  size: parseSize,
  count: text => (/^-?\d{1,9}$/.test(text) ? Number(text) : undefined),
}

/** Any part of the text: a star at both ends. */
function partOf(pieces: Pattern): Pattern {
  const from = pieces[0] === '' ? pieces : ['', ...pieces]
  return from.at(-1) === '' && from.length > 1 ? from : [...from, '']
}

/** `<>` is how people write the null reverse-path, `<a@b>` how they copy an address. */
function withoutBrackets(pieces: Pattern): Pattern {
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (!first.startsWith('<') || !last.endsWith('>')) return pieces
  if (pieces.length === 1) return [first.slice(1, -1)]
  return [first.slice(1), ...pieces.slice(1, -1), last.slice(0, -1)]
}

/** A field that was perhaps meant. */
function likely(word: string): string {
  const fields = [TEXT_FIELDS, CHOICE_FIELDS, AMOUNT_FIELDS].flatMap(table => Object.keys(table))
  const meant =
    SYNONYMS[word] ??
    fields.find(field => word.includes(field) || field.startsWith(word.slice(0, 2)))
  return meant === undefined ? ` there are ${fields.join(', ')}` : ` is it ${meant}:?`
}

const SYNONYMS: Readonly<Record<string, string>> = {
  rcpt: 'to',
  recipient: 'to',
  sender: 'from',
  message: 'id',
  msgid: 'id',
  source: 'peer',
  host: 'remote',
  user: 'account',
  code: 'status',
  tries: 'attempts',
  next: 'due',
}

/** The shortest text that is read as these terms. */
export function formatQuery(query: Query): string {
  return query.map(formatTerm).join(' ')
}

function formatTerm(term: Term): string {
  const not = term.not ? '-' : ''
  if (term.kind === 'amount') {
    const by = term.by === '=' ? ':' : term.by
    const { unit } = AMOUNT_FIELDS[term.field]
    const value = unit === 'duration' ? formatDuration(term.value) : String(term.value)
    return `${not}${term.field}${by}${value}`
  }
  const values = term.kind === 'choice' ? term.any : term.any.map(formatPattern(term.field))
  const list = values.length === 1 ? values[0] : `(${values.join(' ')})`
  return `${not}${term.field}:${list}`
}

function formatPattern(field: TextField): (pattern: Pattern) => string {
  return pattern => {
    const plain = pattern.map(piece => piece.replace(/[\\"*]/g, '\\$&')).join('*')
    const bracketed = field === 'from' && (plain === '' || /^<.*>$/s.test(plain))
    const text = bracketed ? `<${plain}>` : plain
    return text === '' || /[\s()]/.test(text) || text.startsWith('~') ? `"${text}"` : text
  }
}
