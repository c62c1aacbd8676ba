/**
 * Variable envelope return paths (VERP): each recipient of a list's mail has a reverse-path of his own, so
 * that a bounce says by its address whom it is about, whatever it says inside.
 *
 *     list-owner@example.org, for joe@there.example: list-owner+joe=there.example@example.org
 *
 * With `+` and `=` by default, as Postfix and the managers of lists have it. Pure; called by transit/ and smtp/.
 */
import { type Address, formatAddress, isAscii } from './address.ts'

const LOCAL_MAX_OCTETS = 64

/** What stands before the recipient's local part, and in place of his `@`. */
export const DELIMITERS = '+='

/** Two different signs that stand in no address unquoted in another sense (RFC 5322 §3.2.3). */
export function areDelimiters(text: string): boolean {
  return /^[-+=#~_^|]{2}$/.test(text) && text[0] !== text[1]
}

/** The reverse-path for a recipient; undefined where it fits into no local part (RFC 5321 §4.5.3.1.1). */
export function verpSender(
  sender: Address,
  recipient: Address,
  delimiters: string = DELIMITERS,
): Address | undefined {
  const [before = '+', at = '='] = delimiters
  const local = `${sender.local}${before}${recipient.local}${at}${recipient.domain}`
  const plain = isAscii(local) && !formatAddress({ local, domain: '' }).startsWith('"')
  return plain && local.length <= LOCAL_MAX_OCTETS ? { ...sender, local } : undefined
}

/** The recipient that such a reverse-path was made for, by the local part of its list. */
export function verpRecipient(
  local: string,
  owner: string,
  delimiters: string = DELIMITERS,
): Address | undefined {
  const [before = '+', at = '='] = delimiters
  if (!local.toLowerCase().startsWith(`${owner}${before}`.toLowerCase())) return undefined
  const rest = local.slice(owner.length + 1)
  const cut = rest.lastIndexOf(at)
  if (cut < 1 || cut === rest.length - 1) return undefined
  return { local: rest.slice(0, cut), domain: rest.slice(cut + 1).toLowerCase() }
}
