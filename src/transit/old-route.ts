/**
 * Routes in local parts, from before the Internet had mail routes of its own: `user%host@ours` and the UUCP
 * path `host!user@ours` (RFC 976, RFC 1123 §5.2.16). Whom the next of them means, where a listener is told to read
 * them; whether anything is relayed for it is decided afterwards as for any other address. Nobody else reads
 * a local part that is not his (RFC 5321 §2.3.11). Pure; called by inbound/meant.ts.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import { parseMailbox } from '../smtp/path.ts'

/** What a listener reads as a route. */
export interface OldRoutes {
  readonly percent: boolean
  readonly uucp: boolean
}

/**
 * The address that a local part of ours holds: what stands before the last `%` at the host behind it, what
 * stands behind the first `!` at the host before it. Undefined where it holds none, or both kinds: which of them
 * goes first was never agreed on.
 */
export function heldAddress(local: string, { percent, uucp }: OldRoutes): Address | undefined {
  const at = local.lastIndexOf('%')
  const bang = local.indexOf('!')
  if (at < 0 === bang < 0) return undefined
  if (at >= 0) return percent ? addressOf(local.slice(0, at), local.slice(at + 1)) : undefined
  return uucp ? addressOf(local.slice(bang + 1), local.slice(0, bang)) : undefined
}

/** Only what an envelope could name itself. */
function addressOf(local: string, domain: string): Address | undefined {
  if (local === '' || domain === '') return undefined
  return parseMailbox(`${formatAddress({ local, domain: '' })}@${domain}`)
}
