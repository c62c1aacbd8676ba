/**
 * LIST (RFC 9051 §6.3.9) with what RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590 and RFC 3348 let it select and return, and LSUB
 * (RFC 3501 §6.3.9), which is older than all of them.
 */
import type { Cursor } from '../../cursor.ts'
import { isTooMuch, matchesPattern } from '../../list-pattern.ts'
import { DELIMITER, decodeName, formatMailboxName } from '../../mailbox-name.ts'
import { type MetadataWish, readEntries } from '../../metadata.ts'
import type { ListedMailbox } from '../question.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  ok,
  output,
  type Result,
  type Running,
  refused,
  type Turn,
} from '../turn.ts'
import { tellRights } from './acl.ts'
import { type Listed, type ListWish, listed, parentsOf } from './listing.ts'
import { tellMetadata } from './metadata.ts'
import { askStatus, formatStatus, readStatusItems } from './status.ts'

/** More patterns than anybody has. */
const PATTERNS_MAX = 100

/** What is told of many leaves in pieces, as fast as it is read. */
const PIECE_OCTETS = 16_384
/** Levels that are no mailboxes are told too: of ten thousand deep names there are a million, each of them long, and that is no list. */
const LEVELS_MAX = 20_000

const TOO_MUCH = no('the patterns are too complicated for so many names', 'LIMIT')

interface Wish extends ListWish {
  /** Of RETURN (STATUS (...)); empty where it was not asked for. */
  readonly status: readonly string[]
  /** Of RETURN (METADATA (...)) (RFC 9590). */
  readonly metadata?: MetadataWish
  /** RETURN (MYRIGHTS) (RFC 8440). */
  readonly rights: boolean
}

/** `list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`. */
export function* list(turn: Turn, cursor: Cursor): Running<Result> {
  const wish = readList(turn, cursor)
  if (wish === undefined) return bad(cursor.fault ?? 'the pattern is not well formed')
  // §6.3.9: an empty pattern asks for the delimiter alone.
  if (wish.patterns.every(pattern => pattern === '') && !wish.extended) {
    turn.send(`* LIST (\\Noselect) "${DELIMITER}" ""\r\n`)
    return ok('LIST completed')
  }
  if (wish.status.includes('HIGHESTMODSEQ')) turn.condstore()
  const answer = yield* ask<'mailboxes'>({ kind: 'mailboxes', account: accountOf(turn) })
  if (answer.kind === 'no') return refused(answer)
  const names = namesOf(answer.mailboxes)
  if (names === undefined || isTooMuch(names, wish.patterns)) return TOO_MUCH
  let text = ''
  for (const found of listed(answer.mailboxes, wish)) {
    text += line('LIST', found, turn.enabled.utf8)
    const more = found.exists && asksMore(wish)
    if (!more && text.length < PIECE_OCTETS) continue
    turn.send(text)
    text = ''
    if (!more) {
      if (turn.full) yield* output()
      continue
    }
    if (wish.status.length > 0) yield* tellStatus(turn, found.name, wish.status)
    if (wish.rights) yield* tellRights(turn, found.name)
    if (wish.metadata) yield* tellMetadata(turn, found.name, wish.metadata)
    if (turn.full) yield* output()
  }
  turn.send(text)
  return ok('LIST completed')
}

/** Of each mailbox something is told by itself. */
function asksMore({ status, rights, metadata }: Wish): boolean {
  return status.length > 0 || rights || metadata !== undefined
}

/** Of mailboxes, and of the levels above them; undefined where there are too many of these. */
function namesOf(mailboxes: readonly ListedMailbox[]): readonly string[] | undefined {
  const parents = parentsOf(mailboxes, LEVELS_MAX)
  return parents.size > LEVELS_MAX ? undefined : [...mailboxes.map(({ name }) => name), ...parents]
}

/** RFC 5819 §2: a mailbox that cannot be told of is left out. */
function* tellStatus(turn: Turn, mailbox: string, items: readonly string[]): Running<void> {
  const answer = yield* askStatus(turn, mailbox, items)
  if (answer.kind === 'status') turn.send(formatStatus(turn, mailbox, items, answer.status))
}

/** RFC 3501 §6.3.9: subscribed names, whether they exist or not; `%` shows a parent that has some below. */
export function* lsub(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const reference = cursor.astring()
  cursor.space()
  const pattern = joined(turn, cursor, reference, cursor.listMailbox())
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* ask<'mailboxes'>({ kind: 'mailboxes', account: accountOf(turn) })
  if (answer.kind === 'no') return refused(answer)
  const told = new Set<string>()
  const tell = (name: string, attributes: readonly string[]) => {
    if (told.has(name)) return
    told.add(name)
    turn.send(line('LSUB', { name, attributes, childInfo: [] }, turn.enabled.utf8))
  }
  const subscribed = answer.mailboxes.filter(mailbox => mailbox.subscribed)
  const names = namesOf(subscribed)
  if (names === undefined || isTooMuch(names, [pattern])) return TOO_MUCH
  for (const { name } of subscribed) if (matchesPattern(name, pattern)) tell(name, [])
  if (pattern.endsWith('%')) {
    for (const parent of parentsOf(subscribed))
      if (matchesPattern(parent, pattern)) tell(parent, ['\\Noselect'])
  }
  return ok('LSUB completed')
}

function line(
  word: string,
  { attributes, name, childInfo }: Pick<Listed, 'attributes' | 'name' | 'childInfo'>,
  utf8: boolean,
): string {
  const info = childInfo.map(each => `"${each}"`).join(' ')
  const extended = info === '' ? '' : ` ("CHILDINFO" (${info}))`
  const told = `(${attributes.join(' ')}) "${DELIMITER}" ${formatMailboxName(name, utf8)}`
  return `* ${word} ${told}${extended}\r\n`
}

function readList(turn: Turn, cursor: Cursor): Wish | undefined {
  cursor.space()
  const selecting = cursor.next === 0x28
  const select = selecting ? cursor.list(() => cursor.word(), 20) : []
  if (selecting) cursor.space()
  const reference = cursor.astring()
  cursor.space()
  const several = cursor.next === 0x28
  const raw = several
    ? cursor.list(() => cursor.listMailbox(), PATTERNS_MAX)
    : [cursor.listMailbox()]
  const patterns = raw.map(pattern => joined(turn, cursor, reference, pattern))
  let status: readonly string[] = []
  let metadata: MetadataWish | undefined
  const wanted = cursor.take(' RETURN ')
    ? cursor.list(() => {
        const option = cursor.word()
        if (option === 'STATUS') {
          cursor.space()
          status = readStatusItems(cursor)
        } else if (option === 'METADATA') {
          cursor.space()
          metadata = { entries: readEntries(cursor), depth: '0' }
        }
        return option
      }, 20)
    : []
  cursor.end()
  checkOptions(cursor, select, wanted, patterns)
  if (cursor.fault !== undefined) return undefined
  return {
    patterns,
    status,
    ...(metadata && { metadata }),
    rights: wanted.includes('MYRIGHTS'),
    extended: selecting || several || wanted.length > 0,
    subscribed: select.includes('SUBSCRIBED'),
    recursive: select.includes('RECURSIVEMATCH'),
    specialUse: select.includes('SPECIAL-USE'),
    tellSubscribed: select.includes('SUBSCRIBED') || wanted.includes('SUBSCRIBED'),
  }
}

const SELECT = ['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']
const RETURN = ['SUBSCRIBED', 'CHILDREN', 'STATUS', 'SPECIAL-USE', 'METADATA', 'MYRIGHTS']

function checkOptions(
  cursor: Cursor,
  select: readonly string[],
  wanted: readonly string[],
  patterns: readonly string[],
): void {
  const strange =
    select.find(each => !SELECT.includes(each)) ?? wanted.find(each => !RETURN.includes(each))
  if (strange !== undefined) cursor.fail(`LIST has no option ${strange.slice(0, 40)}`)
  // RFC 5258 §3.1: it says how another option matches, and cannot stand without one.
  const others = select.some(each => each !== 'RECURSIVEMATCH' && each !== 'REMOTE')
  if (select.includes('RECURSIVEMATCH') && !others) {
    cursor.fail('RECURSIVEMATCH wants another selection option')
  }
  if (patterns.length === 0) cursor.fail('LIST wants a pattern')
}

/** The reference is what stands before the pattern; '' for an empty pattern. */
function joined(turn: Turn, cursor: Cursor, reference: string, pattern: string): string {
  if (pattern === '') return ''
  // A pattern in modified UTF-7 is decoded as a name is: wildcards stand outside of what is shifted.
  const whole = pattern.startsWith(DELIMITER) ? pattern.slice(1) : reference + pattern
  const text = decodeName(whole, turn.enabled.utf8)
  if (text === undefined) cursor.fail('the pattern is not well formed')
  // A name never ends with the delimiter: what does is asked for as the level it stands behind.
  return text?.replace(/(?<=.)\/$/, '') ?? ''
}
