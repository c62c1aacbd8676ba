/**
 * Whom a recipient of an envelope means here: the same address in nearly every case; one of this host
 * where its domain is our own address in brackets; the one it leads to where we made it ourselves (SRS); and
 * the one its local part holds where the listener reads old routes. Asked by reception.ts at RCPT, and again
 * when the message is complete.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import type { Recipient, Sender } from '../mail/envelope.ts'
import type { Verdict } from '../mail/verdict.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import type { OldRoutes } from '../transit/old-route.ts'
import { type Rewriting, rewriteAddress } from '../transit/rewriting.ts'
import type { Arrival } from '../transit/transit.ts'
import type { Heeding } from './heed.ts'
import { mayHoldRoute, withoutRoute } from './old-routes.ts'
import { hereBy, judgeRecipient } from './recipient.ts'
import type { Inbound, Role } from './role.ts'

export interface Meant {
  readonly recipient: Recipient
  /** What we signed ourselves says about it, so that no role is asked. */
  readonly verdict?: Verdict
}

/** What of an envelope decides whom its recipients mean. */
export interface Bearing {
  readonly peer: Peer
  readonly sender: Sender
  readonly role?: Pick<Role, 'origin'>
  /** Which old routes the listener reads. */
  readonly routes?: OldRoutes | undefined
  readonly heeding?: Pick<Heeding, 'rewriting'>
}

type Needs = Pick<Inbound, 'transit' | 'directory'>

export function meantBy(inbound: Needs, bearing: Bearing, named: Recipient): Later<Meant> {
  const { sender, role } = bearing
  const stranger = role?.origin === 'mx'
  const arrival = inbound.transit.arriving(named.forwardPath, sender.reversePath, stranger)
  if (arrival instanceof Promise) return arrival.then(found => met(inbound, bearing, named, found))
  return met(inbound, bearing, named, arrival)
}

function met(
  { directory }: Needs,
  { peer, routes, heeding }: Bearing,
  named: Recipient,
  found: Arrival | undefined,
): Later<Meant> {
  if (found === undefined) {
    const { forwardPath } = hereBy(directory, named, peer)
    const as = (address: Address): Meant => {
      const written = canonicalRecipient(heeding?.rewriting, address)
      // Where no rule and no old route has a say it is the very address, and nothing is compared.
      const same = written === forwardPath || formatAddress(written) === formatAddress(forwardPath)
      return { recipient: hereBy(directory, same ? named : readdressed(named, written), peer) }
    }
    if (routes === undefined || !mayHoldRoute(forwardPath, routes)) return as(forwardPath)
    return withoutRoute(directory, forwardPath, routes).then(as)
  }
  if (found.kind !== 'leads') return { recipient: named, verdict: found }
  const recipient = readdressed(named, found.to)
  const verdict = judgeRecipient(directory, found.to, true)
  return verdict instanceof Promise
    ? verdict.then(judged => ({ recipient, verdict: judged }))
    : { recipient, verdict }
}

function canonicalRecipient(rules: Rewriting | undefined, address: Address): Address {
  if (rules === undefined) return address
  return rewriteAddress(rules, { side: 'recipient', part: 'envelope' }, address).address
}

/** The recipient under another address; the one it was named by stays on record (RFC 3461 §4.2). */
function readdressed(named: Recipient, forwardPath: Address): Recipient {
  const { originalRecipient = { type: 'rfc822', address: formatAddress(named.forwardPath) } } =
    named
  return { ...named, forwardPath, originalRecipient }
}
