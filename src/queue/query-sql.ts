/**
 * A query as SQL for both stores, in parts: one for each stored state, since each has a partial index of
 * its own that only its literal condition can use. Everything a person wrote is a value, never text of
 * the statement. Called by matching.ts and change.ts.
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import type { Value } from '../world/sql.ts'
import { OPEN_STATES, type Pattern, type Query, type ShownState, type Term } from './query.ts'
import { isQueuedKind, QUEUED_AS } from './state.ts'

/** When a query was asked: what changes later, or comes later, is not meant by it. */
export interface Moment {
  /** ms since the epoch; ages are counted from here. */
  readonly at: number
  /** The newest message of then; '' where there was none. */
  readonly upTo: string
}

export interface QuerySql {
  /** The literal condition on the state, of each part. */
  readonly states: readonly string[]
  /** Holds in every part; r is the recipient, m its message. */
  readonly where: string
  /** Whether the message is asked at all. */
  readonly asksMessage: boolean
  readonly values: readonly Value[]
}

/** What is leased is few among many that wait: found by the index alone, since to look at each row would take long. */
const LEASED = `r.state = 'leased' AND (r.message_id, r.n) IN (SELECT l.message_id, l.n FROM recipient l
  WHERE l.state IN ('queued', 'leased') AND l.state = 'leased' AND l.due_at >= 0)`

/**
 * @param before values of the statement: the query's come behind them
 * @param only states that the caller can do something with; all if not given
 */
export function querySql(
  query: Query,
  { at, upTo }: Moment,
  before: readonly Value[],
  only?: readonly ShownState[],
): QuerySql {
  const values: Value[] = [...before]
  const bind = (value: Value): string => `?${values.push(value)}`
  const conditions = query
    .filter(term => term.kind !== 'choice' || term.field !== 'state')
    .map(term => {
      const condition = conditionOf(term, at, bind)
      return term.not ? `NOT (${condition})` : `(${condition})`
    })
  conditions.push(`r.message_id <= ${bind(upTo)}`)
  const states = statesOf(query).filter(state => only === undefined || only.includes(state))
  const where = conditions.join(' AND ')
  return { states: partsOf(states), where, asksMessage: /\bm\./.test(where), values }
}

/** The states a query speaks of; those not yet settled where it names none. */
function statesOf(query: Query): ShownState[] {
  let states: ShownState[] | undefined
  const without = new Set<ShownState>()
  for (const term of query) {
    if (term.kind !== 'choice' || term.field !== 'state') continue
    if (term.not) for (const state of term.any) without.add(state)
    else states = (states ?? [...term.any]).filter(state => term.any.includes(state))
  }
  return [...new Set(states ?? OPEN_STATES)].filter(state => !without.has(state))
}

function partsOf(states: readonly ShownState[]): string[] {
  const parts: string[] = []
  const kinds = states.filter(isQueuedKind)
  if (kinds.length > 0) {
    const some = kinds.map(kind => `(${QUEUED_AS[kind]})`).join(' OR ')
    parts.push(kinds.length === 3 ? "r.state = 'queued'" : `r.state = 'queued' AND (${some})`)
  }
  if (states.includes('leased')) parts.push(LEASED)
  if (states.includes('held')) parts.push("r.state = 'held'")
  const settled = states.filter(state => !OPEN_STATES.some(open => open === state))
  if (settled.length > 0) parts.push(`r.state IN (${settled.map(s => `'${s}'`).join(', ')})`)
  return parts
}

type Bind = (value: Value) => string

function conditionOf(term: Term, at: number, bind: Bind): string {
  switch (term.kind) {
    case 'choice':
      return `m.origin IN (${term.any.map(bind).join(', ')})`
    case 'amount':
      return amount(term, at, bind)
    case 'text':
      return term.any.map(pattern => TEXTS[term.field](pattern, bind)).join(' OR ')
  }
}

function amount(term: Term & { kind: 'amount' }, at: number, bind: Bind): string {
  const { by, value } = term
  switch (term.field) {
    // What is older came in before.
    case 'age':
      return `m.received_at ${TURNED[by]} ${bind(at - value)}`
    case 'due':
      return `r.due_at ${by} ${bind(at + value)}`
    case 'size':
      return `m.size_octets ${by} ${bind(value)}`
    case 'attempts':
      return `r.attempts ${by} ${bind(value)}`
    case 'priority':
      return `r.priority ${by} ${bind(value)}`
  }
}

const TURNED = { '<': '>', '<=': '>=', '=': '=', '>=': '<=', '>': '<' } as const

type Matcher = (pattern: Pattern, bind: Bind) => string

/** No condition is ever NULL, so that each can be turned around. */
const TEXTS: Readonly<Record<(Term & { kind: 'text' })['field'], Matcher>> = {
  to: (pattern, bind) => {
    const domain = domainIn(pattern)
    if (domain === undefined) return like('lower(r.address)', pattern, bind)
    // The domain has an index.
    const same = domainIs(domain, bind)
    if (pattern.length === 2) return same
    const local = pattern[0]?.slice(0, -domain.length) ?? ''
    const addresses = spellingsOf(domain).map(spelling => [`${local}${spelling}`])
    return `${same} AND ${anyOf('lower(r.address)', bind, addresses)}`
  },
  domain: (pattern, bind) => {
    const [only] = pattern
    return pattern.length === 1 && only !== undefined
      ? domainIs(only, bind)
      : like('lower(r.domain)', pattern, bind)
  },
  alias: (pattern, bind) => like("lower(coalesce(r.alias_of, ''))", pattern, bind),
  from: (pattern, bind) => like('lower(m.reverse_path)', pattern, bind),
  id: (pattern, bind) => {
    const [beginning = '', end] = pattern
    if (pattern.length !== 2 || end !== '') return like('r.message_id', pattern, bind)
    const from = lower(beginning)
    return `r.message_id >= ${bind(from)} AND r.message_id < ${bind(`${from}~`)}`
  },
  account: (pattern, bind) =>
    `EXISTS (SELECT 1 FROM account a WHERE a.id = m.account_id AND ${like('lower(a.address)', pattern, bind)})`,
  // mail/forwarded.ts: `name [address]`, perhaps ` by way of name [address]` behind it.
  peer: (pattern, bind) =>
    anyOf('lower(m.peer)', bind, [
      pattern,
      behind('', pattern, ' [*'),
      behind('*[', pattern, ']*'),
      behind('* by way of ', pattern, ' [*'),
    ]),
  via: (pattern, bind) => like("lower(coalesce(r.via, ''))", pattern, bind),
  status: (pattern, bind) => like("coalesce(r.status, '')", pattern, bind),
  reason: (pattern, bind) => like("lower(coalesce(r.reason, ''))", pattern, bind),
  // `name [address]`, `[address]`, or a path.
  remote: (pattern, bind) =>
    anyOf("lower(coalesce(r.remote, ''))", bind, [
      pattern,
      behind('', pattern, ' [*'),
      behind('*[', pattern, ']'),
    ]),
}

/** A pattern between two others. */
function behind(before: string, pattern: Pattern, after: string): Pattern {
  const pieces = [...before.split('*')]
  const join = (more: Pattern) => {
    const [first = '', ...rest] = more
    pieces[pieces.length - 1] += first
    pieces.push(...rest)
  }
  join(pattern)
  join(after.split('*'))
  return pieces
}

function anyOf(column: string, bind: Bind, patterns: readonly Pattern[]): string {
  return `(${patterns.map(pattern => like(column, pattern, bind)).join(' OR ')})`
}

/** An exact one is compared; else LIKE, whose own signs are taken as they are. */
function like(column: string, pattern: Pattern, bind: Bind): string {
  const [only] = pattern
  if (pattern.length === 1) return `${column} = ${bind(lower(only ?? ''))}`
  const text = pattern.map(piece => lower(piece).replace(/[\\%_]/g, '\\$&')).join('%')
  return `${column} LIKE ${bind(text)} ESCAPE '\\'`
}

/** As lower() of both databases does it: letters of ASCII alone. */
function lower(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase())
}

/** The domain of `joe@example.org` and `*@example.org`; undefined where a star may be in it. */
function domainIn(pattern: Pattern): string | undefined {
  const last = pattern.at(-1) ?? ''
  const at = last.lastIndexOf('@')
  if (at < 0 || pattern.length > 2) return undefined
  const plain = pattern.length === 1 || (pattern[0] === '' && at === 0)
  const domain = last.slice(at + 1)
  return plain && domain !== '' && !domain.includes('"') ? domain : undefined
}

function domainIs(domain: string, bind: Bind): string {
  const [only = '', ...more] = spellingsOf(domain)
  return more.length === 0
    ? `r.domain = ${bind(only)}`
    : `r.domain IN (${[only, ...more].map(bind).join(', ')})`
}

/** The queue keeps a domain as it was written: in either spelling (RFC 5890 §2.3.2.1). */
function spellingsOf(domain: string): readonly string[] {
  const written = lower(domain)
  const spellings = [written, domainToASCII(written), domainToUnicode(written)]
  return [...new Set(spellings)].filter(spelling => spelling !== '')
}
