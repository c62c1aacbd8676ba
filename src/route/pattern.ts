/**
 * Patterns of addresses and texts, as rules have them. `*` is any number of characters; the rest is
 * itself, without case. Matching takes time in proportion to the text, whatever the pattern.
 *
 *     pattern = local-glob "@" domain-glob   ; joe@example.org, *@*.example.org, joe+*@example.org
 *             / "@" domain-glob              ; @example.org: everybody there
 *             / "<>"                         ; the null reverse-path
 */
import { canonicalDomain, canonicalLocal } from '../account/address.ts'
import type { Address } from '../mail/address.ts'

export interface AddressPattern {
  /** As it was written. */
  readonly text: string
  /** Absent in `<>`. */
  readonly parts?: { readonly local: Glob; readonly domain: Glob }
}

/** A text with `*`, cut at them. */
export type Glob = readonly string[]

/** The pattern; undefined where the text is none. */
export function parseAddressPattern(text: string): AddressPattern | undefined {
  if (text === '<>') return { text }
  const at = text.lastIndexOf('@')
  const domain = text.slice(at + 1)
  if (at < 0 || domain === '' || /[\s<>]/.test(text)) return undefined
  const local = at === 0 ? '*' : canonicalLocal(text.slice(0, at))
  const labels = domain
    .split('.')
    .map(label => (label.includes('*') ? label : canonicalDomain(label)))
  return { text, parts: { local: glob(local), domain: glob(labels.join('.')) } }
}

export function matchesAddress({ parts }: AddressPattern, address: Address | null): boolean {
  if (address === null || parts === undefined) return address === null && parts === undefined
  const { local, domain } = comparable(address)
  return matchesGlob(parts.domain, domain) && matchesGlob(parts.local, local)
}

/** An address as patterns are compared with it, and as long lists are looked up by. */
export interface Comparable extends Address {
  readonly whole: string
  readonly ofDomain: string
}

const known = new WeakMap<Address, Comparable>()

/** Made once for an address, however many rules are asked about it. */
export function comparable(address: Address): Comparable {
  const made = known.get(address)
  if (made !== undefined) return made
  const local = canonicalLocal(address.local)
  const domain = canonicalDomain(address.domain)
  const fresh = { local, domain, whole: `${local}@${domain}`, ofDomain: `@${domain}` }
  known.set(address, fresh)
  return fresh
}

export function glob(text: string): Glob {
  return text.toLowerCase().split('*')
}

/** The pieces in their order, the first at the beginning and the last at the end. `text` is in lower case. */
export function matchesGlob(pieces: Glob, text: string): boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  const end = text.length - last.length
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= end && text.endsWith(last)
}

/** Whether all that `inner` matches is matched by `outer` too, as far as can be told from their texts. */
export function covers(outer: string, inner: string): boolean {
  const whole = (text: string) => (text.startsWith('@') ? `*${text}` : text)
  return matchesGlob(glob(whole(outer)), whole(inner).toLowerCase())
}
