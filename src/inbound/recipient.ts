/**
 * May this recipient be taken? The one place that decides about relaying (RFC 5321 §3.6, §7.1).
 *
 * Only the domain behind the last unquoted `@` counts. Whatever else a local part may hide (`u%b`,
 * `b!u`, `"u@b"`) stays a local part: looked up here, and refused as unknown, never sent on.
 */
import type { Directory } from '../account/directory.ts'
import { type Expansion, expand, expandCached } from '../account/expand.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import type { Recipient } from '../mail/envelope.ts'
import { accept, defer, refuse, type Verdict } from '../mail/verdict.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import { formatIp, parseIp } from '../wire/network.ts'

/** The unspecified address, which no connection comes to. */
const NOWHERE = new Uint8Array(16)

/** RFC 3463: a loop, an address of nobody, too many recipients. */
const BROKEN = { loop: '4.6', deep: '4.6', dead: '1.1', wide: '5.3' } as const

/** @param relays whether mail for other domains is taken: only for who may submit, and of him only where they are whole */
export function judgeRecipient(
  directory: Directory,
  address: Address,
  relays: boolean | 'whole',
): Later<Verdict> {
  const known = expandCached(directory, address)
  if (known) return verdictOf(known, address, relays)
  return expand(directory, address).then(found => verdictOf(found, address, relays))
}

/**
 * A recipient at our own address in brackets (RFC 5321 §4.1.3) is at this host: RFC 1123 §5.2.17 wants it known, and
 * postmaster is there (§4.5.1) whatever our name is. Mail to it is never carried to ourselves over the wire.
 */
export function hereBy(directory: Directory, recipient: Recipient, peer: Peer): Recipient {
  const { local, domain } = recipient.forwardPath
  if (!domain.startsWith('[')) return recipient
  // Whichever way it is written: mapped, with zeros, in capitals.
  const octets = parseIp(domain.replace(/^\[(?:ipv6:)?|\]$/gi, ''))
  const ours = octets && formatIp(octets) === formatIp(parseIp(peer.local.address) ?? NOWHERE)
  if (!ours) return recipient
  const here = /^postmaster$/i.test(local) ? '' : directory.hostname
  return { ...recipient, forwardPath: { local, domain: here } }
}

function verdictOf(expansion: Expansion, address: Address, relays: boolean | 'whole'): Verdict {
  const name = formatAddress(address)
  if (expansion.kind === 'finals') return accept()
  if (expansion.kind === 'broken')
    return refuse(550, BROKEN[expansion.why], `${name}: ${expansion.text}`)
  switch (expansion.why) {
    case 'disabled':
      return defer(450, '2.1', `${name}: mailbox is disabled for now`)
    case 'unknown':
      return refuse(550, '1.1', `${name}: no such mailbox here`)
    case 'foreign':
      // RFC 6409 §4.2: who submits `x@sales` means a host of his own site; elsewhere it is nobody's.
      if (relays === 'whole' && !/[.[]/.test(address.domain))
        return refuse(554, '1.2', `${name}: the domain is not fully qualified`)
      return relays
        ? accept()
        : refuse(550, '7.1', `${name}: relaying denied; log in on the submission port to send`)
  }
}
