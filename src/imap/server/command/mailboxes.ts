/** CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8). */
import type { Cursor } from '../../cursor.ts'
import { DELIMITER, isCreatable, readMailboxName } from '../../mailbox-name.ts'
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
} from '../turn.ts'

/** §6.3.4: a trailing delimiter says that names below are meant to follow; it is not part of the name. */
export function* create(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const given = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const mailbox = given.endsWith(DELIMITER) ? given.slice(0, -1) : given
  if (mailbox === 'INBOX') return no('INBOX is there', 'ALREADYEXISTS')
  if (!isCreatable(mailbox)) return no('no mailbox can have this name', 'CANNOT')
  const account = accountOf(turn)
  const answer = yield* ask<'create'>({ kind: 'create', account, mailbox, specialUse: [] })
  return answer.kind === 'no'
    ? refused(answer)
    : ok('CREATE completed', `MAILBOXID (${answer.mailboxId})`)
}

export function* remove(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  // §6.3.5: it is an error to delete INBOX.
  if (mailbox === 'INBOX') return no('INBOX stays', 'CANNOT')
  const answer = yield* ask<'delete'>({ kind: 'delete', account: accountOf(turn), mailbox })
  return answer.kind === 'no' ? refused(answer) : ok('DELETE completed')
}

export function* rename(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const to = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (to === 'INBOX') return no('INBOX is there', 'ALREADYEXISTS')
  if (!isCreatable(to)) return no('no mailbox can have this name', 'CANNOT')
  if (to.startsWith(`${mailbox}${DELIMITER}`))
    return no('a mailbox cannot be below itself', 'CANNOT')
  const answer = yield* ask<'rename'>({ kind: 'rename', account: accountOf(turn), mailbox, to })
  return answer.kind === 'no' ? refused(answer) : ok('RENAME completed')
}

export function subscribe(turn: Turn, cursor: Cursor): Running<Result> {
  return setSubscribed(turn, cursor, true)
}

export function unsubscribe(turn: Turn, cursor: Cursor): Running<Result> {
  return setSubscribed(turn, cursor, false)
}

function* setSubscribed(turn: Turn, cursor: Cursor, on: boolean): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const account = accountOf(turn)
  const answer = yield* ask<'subscribe'>({ kind: 'subscribe', account, mailbox, on })
  return answer.kind === 'no' ? refused(answer) : ok(`${on ? '' : 'UN'}SUBSCRIBE completed`)
}
