/**
 * GETQUOTA and GETQUOTAROOT (RFC 9208 §4.1): what may be held and is. Limits are the operator's to set, by the
 * command line, so QUOTASET is not told, and SETQUOTA is refused.
 */
import type { Cursor } from '../../cursor.ts'
import { formatString, octetsOf } from '../../encode.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import type { Quota } from '../question.ts'
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

/** `getquota = "GETQUOTA" SP quota-root-name`, an astring. */
export function* getQuota(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const root = Buffer.from(cursor.astring(), 'latin1').toString('utf8')
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const answer = yield* ask<'quota'>({ kind: 'quota', account: accountOf(turn), root })
  if (answer.kind === 'no') return refused(answer)
  turn.send(formatQuota(answer.quota))
  return ok('GETQUOTA completed')
}

/** `getquotaroot = "GETQUOTAROOT" SP mailbox`. */
export function* getQuotaRoot(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const account = accountOf(turn)
  const answer = yield* ask<'quota roots'>({ kind: 'quota roots', account, mailbox })
  if (answer.kind === 'no') return refused(answer)
  const roots = answer.quotas.map(({ root }) => ` ${formatRoot(root)}`).join('')
  turn.send(`* QUOTAROOT ${formatMailboxName(mailbox, turn.enabled.utf8)}${roots}\r\n`)
  for (const quota of answer.quotas) turn.send(formatQuota(quota))
  return ok('GETQUOTAROOT completed')
}

/** `setquota = "SETQUOTA" SP quota-root-name SP "(" [resource SP limit *(SP ...)] ")"`: nobody may (§6). */
export function* setQuota(_turn: Turn, cursor: Cursor): Running<Result> {
  cursor.space()
  cursor.astring()
  cursor.space()
  cursor.list(() => {
    cursor.word()
    cursor.space()
    cursor.number64()
  }, 20)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  return no('limits are set by who runs this server', 'NOPERM')
}

/** `quota-response = "QUOTA" SP quota-root-name SP "(" quota-resource *(SP quota-resource) ")"`. */
function formatQuota({ root, resources }: Quota): string {
  const told = resources.map(({ name, used, limit }) => `${name} ${used} ${limit}`).join(' ')
  return `* QUOTA ${formatRoot(root)} (${told})\r\n`
}

function formatRoot(root: string): string {
  return formatString(octetsOf(root))
}
