/** CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8). */
import type { Cursor } from '../../cursor.ts'
import {
  DELIMITER,
  formatOldName,
  isCreatable,
  readMailboxName,
  readNewMailboxName,
  readSpelledName,
  type SpelledName,
} from '../../mailbox-name.ts'
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
import { leave } from './close.ts'

/** §6.3.4: a trailing delimiter says that names below are meant to follow; it is not part of the name. */
export function* create(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const given = withoutTrailing(readNewMailboxName(cursor, turn.enabled.utf8))
  const { name: mailbox } = given
  const specialUse = cursor.take(' ') ? readCreateParameters(cursor) : []
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (mailbox === 'INBOX') return no('INBOX is there', 'ALREADYEXISTS')
  if (!isCreatable(mailbox)) return no('no mailbox can have this name', 'CANNOT')
  // RFC 6154 §3: those of \All and \Flagged would be views of others, and one mailbox has one use.
  if (specialUse.length > 1 || !specialUse.every(use => USES.has(use))) {
    return no('no mailbox can have this use', 'USEATTR')
  }
  const account = accountOf(turn)
  const answer = yield* ask<'create'>({ kind: 'create', account, mailbox, specialUse })
  if (answer.kind === 'no') return refused(answer)
  turn.send(formatOldName(given, turn.enabled.utf8))
  return ok('CREATE completed', `MAILBOXID (${answer.mailboxId})`)
}

function withoutTrailing({ name, spelled }: SpelledName): SpelledName {
  if (!name.endsWith(DELIMITER)) return { name, spelled }
  return { name: name.slice(0, -1), spelled: spelled.slice(0, -1) }
}

const USES = new Set(['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash'])

/** `create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"` (RFC 6154 §6). */
function readCreateParameters(cursor: Cursor): readonly string[] {
  const uses = cursor.list(() => {
    const name = cursor.word()
    if (name !== 'USE') cursor.fail(`CREATE has no parameter ${name.slice(0, 40)}`)
    cursor.space()
    return cursor.list(() => {
      cursor.expect('\\')
      const use = cursor.word()
      return `\\${use.charAt(0)}${use.slice(1).toLowerCase()}`
    }, 20)
  }, 10)
  return [...new Set(uses.flat())]
}

export function* remove(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const given = readSpelledName(cursor, turn.enabled.utf8)
  const { name: mailbox } = given
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  // §6.3.5: it is an error to delete INBOX.
  if (mailbox === 'INBOX') return no('INBOX stays', 'CANNOT')
  const answer = yield* ask<'delete'>({ kind: 'delete', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  if (turn.view?.mailbox === mailbox) yield* closed(turn)
  turn.send(formatOldName(given, turn.enabled.utf8, { attributes: '\\NonExistent' }))
  return ok('DELETE completed')
}

export function* rename(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const from = readSpelledName(cursor, turn.enabled.utf8)
  const { name: mailbox } = from
  cursor.space()
  const given = readNewMailboxName(cursor, turn.enabled.utf8)
  const { name: to } = given
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (to === 'INBOX') return no('INBOX is there', 'ALREADYEXISTS')
  if (!isCreatable(to)) return no('no mailbox can have this name', 'CANNOT')
  if (to.startsWith(`${mailbox}${DELIMITER}`))
    return no('a mailbox cannot be below itself', 'CANNOT')
  const answer = yield* ask<'rename'>({ kind: 'rename', account: accountOf(turn), mailbox, to })
  if (answer.kind === 'no') return refused(answer)
  const { view } = turn
  // Its messages went to the new name, and another INBOX is there (§6.3.6).
  if (mailbox === 'INBOX') {
    if (view?.mailbox === mailbox) yield* closed(turn)
  } else if (view !== undefined && `${view.mailbox}/`.startsWith(mailbox + DELIMITER)) {
    view.mailbox = to + view.mailbox.slice(mailbox.length)
  }
  const { utf8 } = turn.enabled
  turn.send(formatOldName(from, utf8, { now: to }) || formatOldName(given, utf8))
  return ok('RENAME completed')
}

/** The open mailbox is not there any more by this client's own doing. */
function* closed(turn: Turn): Running<void> {
  yield* leave(turn)
  turn.send('* OK [CLOSED] the open mailbox is gone\r\n')
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
  // §6.3.7: it need not exist, but it could.
  if (on && !isCreatable(mailbox)) return no('no mailbox can have this name', 'CANNOT')
  const account = accountOf(turn)
  const answer = yield* ask<'subscribe'>({ kind: 'subscribe', account, mailbox, on })
  return answer.kind === 'no' ? refused(answer) : ok(`${on ? '' : 'UN'}SUBSCRIBE completed`)
}
