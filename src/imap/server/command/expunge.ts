/** EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9, RFC 4315): what has \Deleted goes for good. */
import type { Cursor } from '../../cursor.ts'
import { readNumberSet } from '../../number-set.ts'
import { limited, newest } from '../message-limit.ts'
import { tellNews } from '../news.ts'
import { ask, bad, no, ok, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'

export function* expunge(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  return cursor.fault === undefined ? yield* carryOut(turn) : bad(cursor.fault)
}

/** Only those of the set: another client's marks are its own business. */
export function* uidExpunge(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const set = readNumberSet(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const limit = newest(turn, viewOf(turn).byUid(set, turn.saved))
  return limited(turn, yield* carryOut(turn, limit.uids), limit)
}

function* carryOut(turn: Turn, uids?: readonly number[]): Running<Result> {
  const view = viewOf(turn)
  if (view.readOnly) return no('the mailbox is open read-only', 'CANNOT')
  const wanted = uids === undefined ? {} : { uids }
  const answer = yield* ask<'expunge'>({ kind: 'expunge', key: view.key, ...wanted })
  if (answer.kind === 'no') return refused(answer)
  yield* tellNews(turn, true)
  // RFC 7162 §3.2.7: of all that was told, so of the view, and not of the mailbox, which may be further.
  const code = turn.enabled.condstore ? `HIGHESTMODSEQ ${view.modSeq}` : undefined
  return ok('EXPUNGE completed', code)
}
