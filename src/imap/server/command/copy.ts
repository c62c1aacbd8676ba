/** COPY and MOVE, by sequence number and by UID (RFC 9051 §6.4.7, §6.4.8, RFC 4315, RFC 6851). */
import type { Cursor } from '../../cursor.ts'
import { readMailboxName } from '../../mailbox-name.ts'
import { formatNumbers, readNumberSet } from '../../number-set.ts'
import { limited, newest, tooMany } from '../message-limit.ts'
import { tellNews } from '../news.ts'
import {
  accountOf,
  ask,
  bad,
  no,
  ok,
  type Result,
  type Running,
  refused,
  type Turn,
  viewOf,
} from '../turn.ts'

interface Manner {
  readonly byUid: boolean
  readonly move: boolean
}

export const copy = (turn: Turn, cursor: Cursor) =>
  carry(turn, cursor, { byUid: false, move: false })
export const move = (turn: Turn, cursor: Cursor) =>
  carry(turn, cursor, { byUid: false, move: true })
export const uidCopy = (turn: Turn, cursor: Cursor) =>
  carry(turn, cursor, { byUid: true, move: false })
export const uidMove = (turn: Turn, cursor: Cursor) =>
  carry(turn, cursor, { byUid: true, move: true })

/** `("COPY" / "MOVE") SP sequence-set SP mailbox`. All or nothing (§6.4.7). */
function* carry(turn: Turn, cursor: Cursor, { byUid, move: moves }: Manner): Running<Result> {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const view = viewOf(turn)
  const named = byUid ? view.byUid(set, turn.saved) : view.bySequence(set, turn.saved)
  if (named === undefined) return bad('a number is out of range')
  const word = moves ? 'MOVE' : 'COPY'
  if (moves && view.readOnly) return no('the mailbox is open read-only', 'CANNOT')
  const refusal = moves ? undefined : tooMany(turn, named.length, true)
  if (refusal !== undefined) return refusal
  const limit = newest(turn, named)
  const { uids } = limit
  if (uids.length === 0) return ok(`${word} completed: there was nothing`)
  const account = accountOf(turn)
  const answer = yield* ask<'copy'>({
    kind: 'copy',
    account,
    key: view.key,
    uids,
    mailbox,
    move: moves,
  })
  if (answer.kind === 'no') return refused(answer)
  const { uidValidity, from, to, untold } = answer
  if (from.length === 0) return limited(turn, ok(`${word} completed: they were gone`), limit)
  const code = untold
    ? undefined
    : `COPYUID ${uidValidity} ${formatNumbers(from)} ${formatNumbers(to)}`
  if (!moves) {
    if (view.mailbox === mailbox) yield* tellNews(turn, true)
    return ok('COPY completed', code)
  }
  // RFC 6851 §4.3: before the expunges, so that the client knows what became of them.
  if (code !== undefined) turn.send(`* OK [${code}] moved\r\n`)
  yield* tellNews(turn, true)
  return limited(turn, ok('MOVE completed'), limit)
}
