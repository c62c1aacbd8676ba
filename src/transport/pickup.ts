/**
 * Mail that is asked for: what waits for some domains is claimed, oldest first, and carried one way: to
 * the customer's own host (ETRN, RFC 1985) or over the connection he has made (ATRN, RFC 2645; TURN). The
 * worker claims, carries and settles it as it does all mail, so that a crash loses nothing and what another
 * node has in hand stays his. Called by server/on-demand.ts, which knows who may ask.
 */
import type { Route } from '../route/route.ts'
import type { Log } from '../world/log.ts'
import { Attempt } from './attempt.ts'
import type { Hop } from './hop.ts'
import type { Carried, Load, Transport } from './transport.ts'
import type { Worker } from './worker.ts'

/** Loads in hand at once. The first goes alone: where it finds nobody at home, no other need try. */
const LOADS = 20

/** What came of one round. */
export interface PickedUp {
  /** Recipients that the next hop has taken. */
  readonly relayed: number
  /** Recipients that still wait, or could not be delivered. */
  readonly left: number
}

/** Carries all that waits for some domains, once; ends where the other side is not there. */
export async function pickUp(
  worker: Worker,
  domains: readonly string[],
  way: { readonly route: Route; readonly transport: Transport },
): Promise<PickedUp> {
  let relayed = 0
  let left = 0
  let after = { messageId: '', n: -1 }
  for (let limit = 1; ; limit = LOADS) {
    const round = await worker.carryAsked({ domains, after, limit }, way)
    if (round.after === undefined) return { relayed, left }
    const outcomes = round.carried.flatMap(carried => carried.outcomes)
    const taken = outcomes.filter(({ kind }) => kind === 'delivered').length
    relayed += taken
    left += outcomes.length - taken
    // Nobody has said a word: more of the same would only be to knock on a closed door.
    if (outcomes.every(({ kind, reply }) => kind === 'deferred' && reply === undefined)) {
      return { relayed, left }
    }
    after = round.after
  }
}

/** Carries loads one after another over one hop that stands already. */
export function hopTransport(hop: Hop, log: Log): Transport {
  let turn: Promise<unknown> = Promise.resolve()
  const carry = async (load: Load): Promise<Carried> => {
    const attempt = new Attempt(load)
    const fitting = attempt.fit(hop, log)
    const fitted = fitting instanceof Promise ? await fitting : fitting
    if (fitted === undefined) return attempt.carried()
    for (let end = 'again'; end === 'again'; ) {
      const carried = await hop.carry(attempt.work(fitted, hop))
      end = carried.kind === 'untouched' ? 'elsewhere' : attempt.note(carried)
      if (end === 'done') return attempt.carried()
    }
    return attempt.close('deferred', '4.4.2', 'the connection ended before it was carried')
  }
  return {
    carry(load) {
      const carried = turn.then(() => carry(load))
      turn = carried.catch(() => undefined)
      return carried
    },
    close: async () => {
      hop.leave()
      await hop.goodbye
    },
  }
}

/**
 * A transport whose failure to find a host is no verdict on the mail: a customer whose host is not in the
 * DNS is away, as he may be for days. What his host itself refuses is refused.
 */
export function patient(transport: Transport): Transport {
  return {
    close: () => transport.close(),
    async carry(load, route) {
      const carried = await transport.carry(load, route)
      const outcomes = carried.outcomes.map(outcome =>
        outcome.kind === 'failed' && outcome.host === undefined && isLocating(outcome.status)
          ? { ...outcome, kind: 'deferred' as const, status: outcome.status.replace(/^5/, '4') }
          : outcome,
      )
      return { ...carried, outcomes }
    },
  }
}

/** RFC 3463 §3.2 and §3.5: an address that leads nowhere, and what is wrong with the way. */
function isLocating(status: string): boolean {
  return /^5\.[14]\./.test(status)
}
