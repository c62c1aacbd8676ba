/** What a sender wants to hear of an outcome, and the fact that he is told. Asked by settler.ts. */
import { tellsRelay } from '../mail/deliver-by.ts'
import { parseNotify } from '../mail/notify.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { NoticeFact } from '../queue/notice.ts'
import type { Job, JobRow } from './job.ts'

/** Whether a deliver-by-time wants the sender to hear that it was relayed (RFC 2852 §4.1.4). */
export function relayTold(
  job: Job,
  row: JobRow,
  { deliverBy }: Outcome & { readonly kind: 'delivered' },
  now: number,
): boolean {
  const kept = deliverBy === true
  return tellsRelay(job.load.envelope.sender.deliverBy, parseNotify(row.notify), kept, now)
}

/** NOTIFY as asked (RFC 3461 §4.1); by default failures are told, and delays too. */
export function wants(row: JobRow, what: 'SUCCESS' | 'FAILURE' | 'DELAY'): boolean {
  const notify = parseNotify(row.notify)
  if (notify === undefined) return what !== 'SUCCESS'
  return notify !== 'NEVER' && notify.includes(what)
}

/** Whether somebody may hear of a failure: the sender, or of a notice the postmaster (queue/notice.ts). */
export function hears({ message }: Job, row: JobRow): boolean {
  return message.origin === 'notice' || wants(row, 'FAILURE')
}

export function factOf(
  row: JobRow,
  outcome: Outcome,
  action: NoticeFact['action'],
  at: number,
): NoticeFact {
  return {
    address: row.address,
    originalRecipient: row.originalRecipient,
    action,
    status: outcome.status,
    reason: outcome.reason,
    at,
    ...(outcome.host === undefined ? {} : { host: outcome.host }),
    ...(outcome.address === undefined ? {} : { remoteAddress: outcome.address }),
    ...(outcome.reply === undefined ? {} : { reply: outcome.reply }),
  }
}
