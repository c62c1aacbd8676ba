/** STATUS (RFC 9051 §6.3.11): numbers of a mailbox that need not be open. */
import type { Cursor } from '../../cursor.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import type { MailboxStatus } from '../question.ts'
import { accountOf, ask, bad, ok, type Result, type Running, refused, type Turn } from '../turn.ts'

const items: Readonly<Record<string, (status: MailboxStatus) => string>> = {
  MESSAGES: status => String(status.messages),
  // RFC 3501 §6.3.10; no message of ours is ever recent.
  RECENT: () => '0',
  UIDNEXT: status => String(status.uidNext),
  UIDVALIDITY: status => String(status.uidValidity),
  UNSEEN: status => String(status.unseen),
  DELETED: status => String(status.deleted),
  SIZE: status => String(status.sizeOctets),
}

/** `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`. */
export function* status(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const asked = readStatusItems(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* ask<'status'>({ kind: 'status', account: accountOf(turn), mailbox })
  if (answer.kind === 'no') return refused(answer)
  turn.send(formatStatus(mailbox, asked, answer.status, turn.enabled.utf8))
  return ok('STATUS completed')
}

export function readStatusItems(cursor: Cursor): readonly string[] {
  const asked = cursor.list(() => cursor.word(), 20)
  const unknown = asked.find(name => !Object.hasOwn(items, name))
  if (unknown !== undefined) cursor.fail(`STATUS knows no item ${unknown.slice(0, 40)}`)
  if (asked.length === 0) cursor.fail('STATUS wants at least one item')
  return asked
}

export function formatStatus(
  mailbox: string,
  asked: readonly string[],
  found: MailboxStatus,
  utf8: boolean,
): string {
  const values = asked.map(name => `${name} ${items[name]?.(found) ?? '0'}`)
  return `* STATUS ${formatMailboxName(mailbox, utf8)} (${values.join(' ')})\r\n`
}
