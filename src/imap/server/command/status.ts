/** STATUS (RFC 9051 §6.3.11, RFC 7162 §3.1.7, RFC 8438, RFC 8474, RFC 7889, RFC 9208 §4.1.4): numbers of a mailbox that need not be open. */
import type { Cursor } from '../../cursor.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import type { MailboxStatus } from '../question.ts'
import { accountOf, ask, bad, ok, type Result, type Running, refused, type Turn } from '../turn.ts'

const items: Readonly<Record<string, (status: MailboxStatus, turn: Turn) => string>> = {
  MESSAGES: status => String(status.messages),
  RECENT: status => String(status.recent),
  UIDNEXT: status => String(status.uidNext),
  UIDVALIDITY: status => String(status.uidValidity),
  UNSEEN: status => String(status.unseen),
  DELETED: status => String(status.deleted),
  SIZE: status => String(status.sizeOctets),
  'DELETED-STORAGE': status => String(status.deletedOctets),
  HIGHESTMODSEQ: status => String(status.highestModSeq),
  MAILBOXID: status => `(${status.mailboxId})`,
  APPENDLIMIT: (_, { settings }) =>
    settings.appendMaxOctets > 0 ? String(settings.appendMaxOctets) : 'NIL',
}

/** `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`. */
export function* status(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.space()
  const asked = readStatusItems(cursor)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (asked.includes('HIGHESTMODSEQ')) turn.condstore()
  const answer = yield* askStatus(turn, mailbox, asked)
  if (answer.kind === 'no') return refused(answer)
  turn.send(formatStatus(turn, mailbox, asked, answer.status))
  return ok('STATUS completed')
}

export function* askStatus(turn: Turn, mailbox: string, asked: readonly string[]) {
  const account = accountOf(turn)
  const question = { kind: 'status', account, mailbox } as const
  return yield* ask<'status'>({
    ...question,
    ...(asked.includes('DELETED-STORAGE') && { deletedOctets: true }),
    ...(asked.includes('RECENT') && { recent: true }),
  })
}

export function readStatusItems(cursor: Cursor): readonly string[] {
  const asked = cursor.list(() => cursor.word(), 20)
  const unknown = asked.find(name => !Object.hasOwn(items, name))
  if (unknown !== undefined) cursor.fail(`STATUS knows no item ${unknown.slice(0, 40)}`)
  if (asked.length === 0) cursor.fail('STATUS wants at least one item')
  return [...new Set(asked)]
}

export function formatStatus(
  turn: Turn,
  mailbox: string,
  asked: readonly string[],
  found: MailboxStatus,
): string {
  const values = asked.map(name => `${name} ${items[name]?.(found, turn) ?? '0'}`)
  return `* STATUS ${formatMailboxName(mailbox, turn.enabled.utf8)} (${values.join(' ')})\r\n`
}
