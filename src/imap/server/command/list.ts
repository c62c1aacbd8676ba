/** LIST and LSUB in their basic form (RFC 9051 §6.3.9, RFC 3501 §6.3.8, §6.3.9). */
import type { Cursor } from '../../cursor.ts'
import { DELIMITER, decodeName, formatMailboxName, matchesPattern } from '../../mailbox-name.ts'
import type { ListedMailbox } from '../question.ts'
import { accountOf, ask, bad, ok, type Result, type Running, refused, type Turn } from '../turn.ts'

/** `list = "LIST" SP mailbox SP list-mailbox`. */
export function* list(turn: Turn, cursor: Cursor): Running<Result> {
  const pattern = readReferenceAndPattern(turn, cursor)
  if (pattern === undefined) return bad(cursor.fault ?? 'the pattern is not well formed')
  // §6.3.9: an empty pattern asks for the delimiter alone.
  if (pattern === '') {
    turn.send(`* LIST (\\Noselect) "${DELIMITER}" ""\r\n`)
    return ok('LIST completed')
  }
  const answer = yield* ask<'mailboxes'>({ kind: 'mailboxes', account: accountOf(turn) })
  if (answer.kind === 'no') return refused(answer)
  const parents = parentsOf(answer.mailboxes)
  for (const mailbox of answer.mailboxes) {
    if (!mailbox.exists || !matchesPattern(mailbox.name, pattern)) continue
    const attributes = [
      parents.has(mailbox.name) ? '\\HasChildren' : '\\HasNoChildren',
      ...mailbox.specialUse,
    ]
    turn.send(line('LIST', attributes, mailbox.name, turn.enabled.utf8))
  }
  return ok('LIST completed')
}

/** RFC 3501 §6.3.9: subscribed names, whether they exist or not; `%` shows a parent that has some below. */
export function* lsub(turn: Turn, cursor: Cursor): Running<Result> {
  const pattern = readReferenceAndPattern(turn, cursor)
  if (pattern === undefined) return bad(cursor.fault ?? 'the pattern is not well formed')
  const answer = yield* ask<'mailboxes'>({ kind: 'mailboxes', account: accountOf(turn) })
  if (answer.kind === 'no') return refused(answer)
  const told = new Set<string>()
  const tell = (name: string, attributes: readonly string[]) => {
    if (told.has(name)) return
    told.add(name)
    turn.send(line('LSUB', attributes, name, turn.enabled.utf8))
  }
  const subscribed = answer.mailboxes.filter(mailbox => mailbox.subscribed)
  for (const { name } of subscribed) if (matchesPattern(name, pattern)) tell(name, [])
  for (const { name } of subscribed) {
    for (const parent of ancestors(name)) {
      if (pattern.endsWith('%') && matchesPattern(parent, pattern)) tell(parent, ['\\Noselect'])
    }
  }
  return ok('LSUB completed')
}

function line(word: string, attributes: readonly string[], name: string, utf8: boolean): string {
  return `* ${word} (${attributes.join(' ')}) "${DELIMITER}" ${formatMailboxName(name, utf8)}\r\n`
}

/** Reference and pattern as one pattern: the reference is what stands before it. */
function readReferenceAndPattern(turn: Turn, cursor: Cursor): string | undefined {
  cursor.space()
  const reference = cursor.astring()
  cursor.space()
  const pattern = cursor.listMailbox()
  cursor.end()
  if (cursor.fault !== undefined) return undefined
  // A pattern in modified UTF-7 is decoded as a name is: wildcards stand outside of what is shifted.
  const joined = pattern.startsWith(DELIMITER) ? pattern.slice(1) : reference + pattern
  return pattern === '' ? '' : decodeName(joined, turn.enabled.utf8)
}

/** Names that have others below them. */
function parentsOf(mailboxes: readonly ListedMailbox[]): ReadonlySet<string> {
  const parents = new Set<string>()
  for (const { name, exists } of mailboxes) {
    if (exists) for (const parent of ancestors(name)) parents.add(parent)
  }
  return parents
}

/** `a/b/c`: `a/b`, `a`. */
function* ancestors(name: string): Generator<string> {
  for (let at = name.lastIndexOf(DELIMITER); at > 0; at = name.lastIndexOf(DELIMITER, at - 1)) {
    yield name.slice(0, at)
  }
}
