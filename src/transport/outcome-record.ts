/** What is kept of an outcome beside its words: where it went, and its attempt. Called by settler.ts. */
import type { Outcome } from '../mail/outcome.ts'
import { isInDoubt } from '../queue/doubt.ts'
import type { Settled } from '../queue/settlement.ts'

/** Where it went. */
export function remoteOf(outcome: Outcome): string | null {
  if (outcome.place !== undefined) return outcome.place
  // A Unix socket has but its path.
  if (outcome.address?.startsWith('/')) return outcome.address
  if (outcome.host === undefined) return outcome.address ? `[${outcome.address}]` : null
  return outcome.address ? `${outcome.host} [${outcome.address}]` : outcome.host
}

/** Of who has the mail the recipient's own row says it all (record/trace.ts), and no other is written. */
export function attemptOf(outcome: Outcome, dialogue: string | undefined): Settled['attempt'] {
  if (outcome.kind === 'delivered') return undefined
  if (outcome.kind === 'held' || outcome.kind === 'discarded') return undefined
  if (outcome.kind === 'deferred' && (outcome.kept || outcome.untried)) return undefined
  return { outcome: isInDoubt(outcome) ? 'in doubt' : outcome.kind, dialogue: dialogue ?? null }
}
