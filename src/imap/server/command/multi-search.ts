/**
 * ESEARCH (RFC 7377): one search over several mailboxes, open or not; each that has something is told by itself, by
 * UIDs. And UIDBATCHES, which cuts the open mailbox into runs of UIDs of equal size.
 */
import type { Cursor } from '../../cursor.ts'
import { formatTag } from '../../encode.ts'
import { formatMailboxName } from '../../mailbox-name.ts'
import { readScope, SCOPES_MAX, type Scope } from '../../notify.ts'
import { Scopes } from '../../scopes.ts'
import type { SearchKey } from '../../search-key.ts'
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
  viewOf,
} from '../turn.ts'
import { asksModSeq, namesNumbers, readProgram } from './search.ts'
import { formatExtended, type Option, readReturn } from './search-return.ts'

/** `esearch = "ESEARCH" [SP "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"] [SP search-return-opts] SP search-program`. */
export function* multiSearch(turn: Turn, cursor: Cursor): Running<Result> {
  const scopes = cursor.take(' IN (') ? readScopes(turn, cursor) : undefined
  const returned = cursor.take(' RETURN ') ? readReturn(cursor) : [{ name: 'ALL' as const }]
  cursor.space()
  const read = readProgram(turn, cursor)
  if ('text' in read) return read
  // §2.2: only one mailbox has numbers, and one result can be saved.
  if (namesNumbers(read.key)) return bad('messages of several mailboxes have no numbers')
  if (returned.some(({ name }) => name === 'SAVE')) return bad('SAVE is for the open mailbox alone')
  if (returned.some(({ name }) => name === 'UPDATE')) {
    turn.send(`* NO [NOUPDATE ${formatTag(turn.tag)}] this one is not kept up to date\r\n`)
  }
  const names = yield* namesIn(turn, scopes ?? [{ kind: 'selected', delayed: false }])
  if ('kind' in names) return names
  for (const mailbox of names) yield* searchOne(turn, mailbox, read.key, returned)
  return ok('ESEARCH completed')
}

function readScopes(turn: Turn, cursor: Cursor): readonly Scope[] {
  const scopes: Scope[] = []
  do {
    const scope = readScope(cursor, turn.enabled.utf8)
    if (scope.kind === 'selected' && scope.delayed) cursor.fail('nothing is delayed in a search')
    scopes.push(scope)
    if (scopes.length > SCOPES_MAX) cursor.fail('there are too many scopes')
  } while (
    cursor.fault === undefined &&
    cursor.next === 0x20 &&
    cursor.ahead(2) !== ' (' &&
    cursor.take(' ')
  )
  cursor.expect(')')
  return scopes
}

/** Names that exist and belong to one of them; one that is named twice is searched once (§2.2). */
function* namesIn(turn: Turn, scopes: readonly Scope[]): Running<readonly string[] | Result> {
  const selected = scopes.some(({ kind }) => kind === 'selected')
  if (selected && turn.view === undefined) return bad('no mailbox is open')
  const names = new Set(selected && turn.view ? [turn.view.mailbox] : [])
  if (scopes.some(({ kind }) => kind !== 'selected')) {
    const answer = yield* ask<'mailboxes'>({ kind: 'mailboxes', account: accountOf(turn) })
    if (answer.kind === 'no') return refused(answer)
    const wanted = new Scopes(scopes)
    for (const box of answer.mailboxes) {
      if (box.exists && wanted.first(box) !== undefined) names.add(box.name)
    }
  }
  return [...names]
}

/** What cannot be searched, or has nothing, is left out (§2.1). */
function* searchOne(
  turn: Turn,
  mailbox: string,
  key: SearchKey,
  options: readonly Option[],
): Running<void> {
  const account = accountOf(turn)
  const answer = yield* ask<'search in'>({ kind: 'search in', account, mailbox, wanted: key })
  if (answer.kind !== 'found in' || answer.uids.length === 0) return
  const found = answer.uids.map((uid, at) => {
    const modSeq = answer.modSeqs[at] ?? 0
    return { uid, number: uid, sequence: 0, modSeq }
  })
  const name = formatMailboxName(mailbox, turn.enabled.utf8)
  const place = `MAILBOX ${name} UIDVALIDITY ${answer.uidValidity}`
  const manner = { byUid: true, modSeq: asksModSeq(key) }
  const line = formatExtended(turn.tag, found, options, manner)
  const tag = `(TAG ${formatTag(turn.tag)}`
  // By a function: a `$` in a name is no pattern.
  turn.send(line.replace(tag, () => `${tag} ${place}`))
  if (turn.full) yield* output()
}

/** So few in a batch would make more lines than messages. */
const BATCH_MIN = 500

/** `uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]`: from the newest; of some batches only, counted from 1. */
export function* uidBatches(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const size = cursor.positive()
  let first = 1
  let last = Number.MAX_SAFE_INTEGER
  if (cursor.take(' ')) {
    first = cursor.positive()
    cursor.expect(':')
    last = cursor.positive()
  }
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (size < BATCH_MIN) return no(`a batch has ${BATCH_MIN} messages at least`, 'TOOSMALL')
  const { uids } = viewOf(turn)
  const batches: string[] = []
  for (let n = Math.min(first, last); n <= Math.max(first, last); n++) {
    const end = uids.length - (n - 1) * size
    if (end <= 0) break
    const [from, to] = [uids[Math.max(0, end - size)], uids[end - 1]]
    batches.push(from === to ? `${to}` : `${to}:${from}`)
  }
  const told = batches.length === 0 ? '' : ` ${batches.join(',')}`
  turn.send(`* UIDBATCHES (TAG ${formatTag(turn.tag)})${told}\r\n`)
  return ok('UIDBATCHES completed')
}
