/**
 * The Sender Rewriting Scheme: what we forward leaves under a reverse-path of ours, since the hosts that
 * the sender's domain names in its SPF record (RFC 7208) are not ours, and what comes back to
 * that reverse-path is led to the sender. There is no RFC; the grammar is that of Mail::SRS
 * and libsrs2, which Postfix and Exim speak by:
 *
 *     SRS0 = "SRS0" sep hash "=" stamp "=" host "=" local          ; sep is "=", "-" or "+"
 *     SRS1 = "SRS1" sep hash "=" host "=" SRS0-without-its-tag     ; who forwards what was forwarded
 *
 * Ours alone is a reference, SRS0 with an empty host, whose local part is the id of the message: for
 * senders that fit into no local part of 64 octets (RFC 5321 §4.5.3.1.1), or need quotes or UTF-8. The
 * ledger knows who they were. Pure; called by transit.ts.
 */
import { canonicalDomain } from '../account/address.ts'
import { type Address, formatAddress, isAscii } from '../mail/address.ts'
import { dayStamp, daysSince, isSealed, type Seal, seal } from './seal.ts'

const LOCAL_MAX_OCTETS = 64
const TAGGED = /^SRS([01])([-+=])(.*)$/is
const HOST = /^[\w.-]{1,255}$/
/** What a reference is sealed with in place of a host: no host and local part, joined, read so. */
const NO_HOST = '='

export type Reversed =
  /** Whom it leads to: the sender, or, of an SRS1, the host that forwarded it first. */
  | { readonly kind: 'sender'; readonly address: Address }
  | { readonly kind: 'reference'; readonly messageId: string }
  | { readonly kind: 'expired' }
  /** Nothing of ours, or no longer. */
  | { readonly kind: 'forged' }

/** Whether a local part says that it is an SRS address. */
export function looksLikeSrs(local: string): boolean {
  return TAGGED.test(local)
}

/** The address in whose name we forward a sender's message. */
export function forwardedSender(
  sender: Address,
  by: { readonly domain: string; readonly messageId: string; readonly nowMs: number } & Seal,
): Address {
  const plain = rewritten(sender, by)
  if (plain !== undefined && fits(plain)) return { local: plain, domain: by.domain }
  const stamp = dayStamp(by.nowMs)
  const local = `SRS0=${seal(by, stamp, NO_HOST, by.messageId)}=${stamp}==${by.messageId}`
  return { local, domain: by.domain }
}

/** The usual form; undefined for an SRS1 that is none. */
function rewritten({ local, domain }: Address, by: Seal & { nowMs: number }): string | undefined {
  const host = canonicalDomain(domain)
  const [, kind, separator = '', rest = ''] = TAGGED.exec(local) ?? []
  if (kind === '0') return formatSrs1(by, host, separator + rest)
  if (kind === '1') {
    const [, first, inner] = split(rest, 3)
    return first && inner ? formatSrs1(by, first, inner) : undefined
  }
  if (!HOST.test(host)) return undefined
  const stamp = dayStamp(by.nowMs)
  return `SRS0=${seal(by, stamp, host, local)}=${stamp}=${host}=${local}`
}

/** Undefined where no name of a host stands in it: it could not be turned back. */
function formatSrs1(by: Seal, host: string, inner: string): string | undefined {
  return HOST.test(host) ? `SRS1=${seal(by, host, inner)}=${host}=${inner}` : undefined
}

function fits(local: string): boolean {
  if (!isAscii(local) || local.length > LOCAL_MAX_OCTETS) return false
  return !formatAddress({ local, domain: '' }).startsWith('"')
}

/** Whom a local part of ours leads to. Only what we have signed ourselves leads anywhere. */
export function reversed(
  local: string,
  by: Seal & { readonly nowMs: number; readonly keepDays: number },
): Reversed {
  const [, kind, , rest = ''] = TAGGED.exec(local) ?? []
  if (kind === '1') {
    const [hash = '', host = '', inner = ''] = split(rest, 3)
    if (!isSealed(by, hash, host, inner) || !HOST.test(host)) return { kind: 'forged' }
    // The age of what others signed is for them to judge.
    return { kind: 'sender', address: { local: `SRS0${inner}`, domain: host.toLowerCase() } }
  }
  const [hash = '', stamp = '', host = '', user = ''] = split(rest, 4)
  // A local part may be `""` (RFC 5321 §4.1.2); a reference to nothing is none.
  const empty = user === '' && host === ''
  if (kind !== '0' || empty || !isSealed(by, hash, stamp, host || NO_HOST, user))
    return { kind: 'forged' }
  const days = daysSince(stamp, by.nowMs)
  if (days === undefined) return { kind: 'forged' }
  if (days > by.keepDays) return { kind: 'expired' }
  if (host === '') return { kind: 'reference', messageId: user.toLowerCase() }
  return { kind: 'sender', address: { local: user, domain: host.toLowerCase() } }
}

/** At most so many pieces; what is behind the last separator that counts stays whole. */
function split(text: string, count: number): string[] {
  const pieces = text.split('=')
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join('=')]
}
