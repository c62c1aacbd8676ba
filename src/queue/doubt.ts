/**
 * In doubt: a host was sent the whole message, its end too, and never said whether it took it (RFC 5321
 * §4.5.3.2.6). To send it again may make a copy, not to may lose it; so it goes again, as an
 * operator wants it: how late, how often, and what then. Pure; transport/settler.ts asks.
 *
 * Where the host knows the transaction by its name (RFC 1845), the next attempt asks for its result
 * and makes no copy: then there is nothing to be careful about.
 */
import type { Outcome } from '../mail/outcome.ts'

export interface DoubtPolicy {
  /** Attempts that may end in doubt; behind them comes `afterwards`. */
  readonly tries: number
  /** The least time until the next attempt. */
  readonly waitMs: number
  /** Go on by the schedule, keep it for a person to look at, or give it up with a notice. */
  readonly afterwards: 'retry' | 'hold' | 'bounce'
}

export function isInDoubt(outcome: Outcome): boolean {
  return outcome.kind === 'deferred' && outcome.inDoubt === true
}

/** @param doubts attempts that ended in doubt, this one too */
export function stepInDoubt(
  policy: DoubtPolicy,
  outcome: Outcome,
  doubts: number,
): 'retry' | 'hold' | 'bounce' {
  const asked = outcome.kind === 'deferred' && outcome.named === true
  return asked || doubts < policy.tries ? 'retry' : policy.afterwards
}

/** The outcome in words that leave the doubt out of nobody's sight. `before`: attempts in doubt before this one. */
export function withDoubt<Some extends Outcome>(outcome: Some, before: number): Some {
  const { reason } = outcome
  if (isInDoubt(outcome))
    return { ...outcome, reason: `in doubt, for all of it was sent: ${reason}` }
  if (outcome.kind !== 'failed' || before === 0) return outcome
  return { ...outcome, reason: `${reason}; ${PERHAPS}` }
}

/** The last word of what is given up after so many doubts; that it may have arrived is part of it. */
export function lastWord(outcome: Outcome, doubts = 0): string {
  return doubts > 0 || isInDoubt(outcome) ? `${outcome.reason}; ${PERHAPS}` : outcome.reason
}

/** What a sender must know before he sends it again. */
const PERHAPS =
  'it may have arrived all the same, for a host was sent all of it before and did not answer'
