/** What is said of loads that no transport has carried. Used by transport/worker.ts. */
import { LOOP } from '../delivery/had-before.ts'
import { isTooLate } from '../mail/deliver-by.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Wait } from '../shape/gates.ts'
import type { Job } from './job.ts'
import type { Carried, Transport } from './transport.ts'

/** What no transport is given: too late (RFC 2852 §4.2), or here once more. Those have loads of their own. */
export function barred(job: Job, now: number): Carried | undefined {
  const { sender, recipients } = job.load.envelope
  if (isTooLate(sender.deliverBy, now)) return late(job)
  return recipients[0]?.looped ? { outcomes: job.rows.map(() => LOOPED) } : undefined
}

/** RFC 2852 §4.1.3: what came back to us after its time is not tried any more. */
function late(job: Job): Carried {
  const reason = 'it was not delivered by the time its sender had set'
  return { outcomes: job.rows.map(() => ({ kind: 'failed', status: '5.4.7', reason })) }
}

/** RFC 5321 §6.3: what comes round again goes no further. */
export const LOOPED: Outcome = { kind: 'failed', status: '5.4.6', reason: LOOP }

/** Tries nothing: the destination is known to be down, or it is not the load's turn. */
export function untried({ status, reason }: Wait): Transport {
  const outcome = { kind: 'deferred', untried: true, status, reason } as const
  return {
    carry: async ({ envelope }) => ({ outcomes: envelope.recipients.map(() => outcome) }),
    close: async () => undefined,
  }
}

/** Its lease has ended before anything was tried: another node may have it. */
export function taken(job: Job): Carried {
  const reason = 'another node may carry it by now'
  return { outcomes: job.rows.map(() => ({ kind: 'deferred', status: '4.3.0', reason })) }
}

/** A transport that threw has a bug; its load is tried again later. */
export function broken(job: Job, error: unknown): Carried {
  const reason = `internal error: ${error instanceof Error ? error.message : String(error)}`
  return { outcomes: job.rows.map(() => ({ kind: 'deferred', status: '4.3.0', reason })) }
}
