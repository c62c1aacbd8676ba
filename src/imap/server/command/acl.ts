/** GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3): who may use a mailbox, and how. */
import type { Cursor } from '../../cursor.ts'
import { formatString, octetsOf } from '../../encode.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import { ALL_RIGHTS, formatRights, readRights } from '../../right.ts'
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

export function* getAcl(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* ask<'acl'>({ kind: 'acl', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  const told = [{ identifier: answer.owner, rights: ALL_RIGHTS }, ...answer.entries]
    .map(({ identifier, rights }) => ` ${text(identifier)} ${formatRights(rights)}`)
    .join('')
  turn.send(`* ACL ${formatMailboxName(mailbox, turn.enabled.utf8)}${told}\r\n`)
  return ok('GETACL completed')
}

/** `setacl = "SETACL" SP mailbox SP identifier SP mod-rights`. */
export function* setAcl(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const identifier = readIdentifier(cursor)
  cursor.space()
  const { mode, rights } = readRights(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  return yield* change(turn, mailbox, identifier, mode, rights, 'SETACL')
}

/** `deleteacl = "DELETEACL" SP mailbox SP identifier`. */
export function* deleteAcl(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const identifier = readIdentifier(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  return yield* change(turn, mailbox, identifier, '=', '', 'DELETEACL')
}

function* change(
  turn: Turn,
  mailbox: string,
  identifier: string,
  mode: '+' | '-' | '=',
  rights: string,
  word: string,
): Running<Result> {
  // §2: negative rights are for servers that have them.
  if (identifier.startsWith('-')) return no('nobody has negative rights here', 'CANNOT')
  const account = accountOf(turn)
  const asked = { account, mailbox, identifier, mode, rights }
  const answer = yield* ask<'set rights'>({ kind: 'set rights', ...asked })
  return answer.kind === 'no' ? refused(answer) : ok(`${word} completed`)
}

/** `listrights = "LISTRIGHTS" SP mailbox SP identifier`: each right by itself, but all of them for the owner. */
export function* listRights(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const identifier = readIdentifier(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* ask<'acl'>({ kind: 'acl', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  const owns = identifier.toLowerCase() === answer.owner.toLowerCase()
  const told = owns
    ? formatRights(ALL_RIGHTS)
    : `"" ${Array.from(formatRights(ALL_RIGHTS)).join(' ')}`
  const name = formatMailboxName(mailbox, turn.enabled.utf8)
  turn.send(`* LISTRIGHTS ${name} ${text(identifier)} ${told}\r\n`)
  return ok('LISTRIGHTS completed')
}

export function* myRights(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* tellRights(turn, mailbox)
  return answer ?? ok('MYRIGHTS completed')
}

/** `* MYRIGHTS`; or why not. Also for LIST (RFC 8440). */
export function* tellRights(turn: Turn, mailbox: string): Running<Result | undefined> {
  const answer = yield* ask<'rights'>({ kind: 'rights', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  const name = formatMailboxName(mailbox, turn.enabled.utf8)
  turn.send(`* MYRIGHTS ${name} ${formatRights(answer.rights)}\r\n`)
  return undefined
}

/** identifier = astring, UTF-8 (§3). */
function readIdentifier(cursor: Cursor): string {
  const identifier = Buffer.from(cursor.astring(), 'latin1').toString('utf8')
  if (identifier === '' || identifier.includes('\ufffd')) cursor.fail('there is no such identifier')
  return identifier
}

function text(identifier: string): string {
  return formatString(octetsOf(identifier))
}
