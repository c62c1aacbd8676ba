/**
 * Whom a recipient of an envelope means here: the same address in nearly every case; without its domain
 * where that is our own address in brackets; and the one it leads to where we made it ourselves (SRS).
 * Asked by reception.ts at RCPT, and again when the message is complete.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import type { Recipient, Sender } from '../mail/envelope.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import type { Arrival } from '../transit/transit.ts'
import { hereBy, judgeRecipient } from './recipient.ts'
import type { Inbound } from './role.ts'

export interface Meant {
  readonly recipient: Recipient
  /** What we signed ourselves says about it, so that no role is asked. */
  readonly verdict?: Verdict
}

export function meantBy(
  { transit, directory }: Pick<Inbound, 'transit' | 'directory'>,
  peer: Peer,
  sender: Sender,
  named: Recipient,
): Later<Meant> {
  const arrival = transit.arriving(named.forwardPath, sender.reversePath)
  if (arrival === undefined) return { recipient: hereBy(named, peer) }
  const met = (found: Arrival | undefined): Later<Meant> => {
    if (found === undefined) return { recipient: named }
    if (found.kind !== 'leads') return { recipient: named, verdict: found }
    const recipient = readdressed(named, found.to)
    const verdict = judgeRecipient(directory, found.to, true)
    return verdict instanceof Promise
      ? verdict.then(judged => ({ recipient, verdict: judged }))
      : { recipient, verdict }
  }
  return arrival instanceof Promise ? arrival.then(met) : met(arrival)
}

/** The recipient under another address; the one it was named by stays on record (RFC 3461 §4.2). */
function readdressed(named: Recipient, forwardPath: Address): Recipient {
  const { originalRecipient = { type: 'rfc822', address: formatAddress(named.forwardPath) } } =
    named
  return { ...named, forwardPath, originalRecipient }
}
