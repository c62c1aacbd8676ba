/**
 * Canonical and masqueraded addresses: what an address of a user's own mail becomes before it leaves his machine.
 * Pure functions that say by which rule, for the log and for `explain`. Asked by inbound/ for
 * envelopes and headers of submitted mail; never for what other servers send.
 */
import { addressKey, canonical, canonicalDomain, canonicalLocal } from '../account/address.ts'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'

/** From an address, or a pattern with one `*`, to an address; the `*` of the one is that of the other. */
export interface Mapping {
  readonly exact: ReadonlyMap<string, string>
  /** In the order they were written. */
  readonly patterns: readonly {
    readonly before: string
    readonly behind: string
    readonly to: string
  }[]
}

export interface Rewriting {
  readonly sender: Mapping
  readonly recipient: Mapping
  readonly canonical: Mapping
  /** Domains whose hosts are not shown, most specific first; `keep` shows those below it all the same. */
  readonly masquerade: readonly { readonly domain: string; readonly keep: boolean }[]
  /** Local parts that show their host: `root`. */
  readonly exceptions: ReadonlySet<string>
  readonly envelope: boolean
  readonly header: boolean
}

/** Where an address stands. */
export interface Place {
  readonly side: 'sender' | 'recipient'
  readonly part: 'envelope' | 'header'
}

export interface Rewritten {
  readonly address: Address
  /** What was done, in order: the rule by its path in the settings, and what came of it. */
  readonly steps: readonly { readonly rule: string; readonly to: string }[]
}

/** First by the rules of its side, then by those of both, then its host is left out. Each once. */
export function rewriteAddress(rules: Rewriting, { side, part }: Place, given: Address): Rewritten {
  const steps: { rule: string; to: string }[] = []
  if (!rules[part]) return { address: given, steps }
  let address = given
  const take = (rule: string, next: Address | undefined) => {
    if (next === undefined || formatAddress(next) === formatAddress(address)) return
    address = next
    steps.push({ rule: `rewrite.${rule}`, to: formatAddress(next) })
  }
  take(side, mapped(rules[side], address))
  take('canonical', mapped(rules.canonical, address))
  // A recipient of the envelope is to arrive at his host, which only the header need not show.
  const hides = side === 'sender' || part === 'header'
  if (hides) take('masquerade', masqueraded(rules, address))
  return { address, steps }
}

function mapped({ exact, patterns }: Mapping, address: Address): Address | undefined {
  if (exact.size === 0 && patterns.length === 0) return undefined
  const key = addressKey(address)
  const found = exact.get(key)
  if (found !== undefined) return parseStoredAddress(found)
  for (const { before, behind, to } of patterns) {
    const between = key.length - before.length - behind.length
    if (between < 1 || !key.startsWith(before) || !key.endsWith(behind)) continue
    if (!to.includes('*')) return parseStoredAddress(to)
    // A whole local part keeps its case (RFC 5321 §2.4), and its quotes.
    const whole = before === '' && behind === `@${canonicalDomain(address.domain)}`
    const star = whole
      ? formatAddress({ ...address, domain: '' })
      : key.slice(before.length, before.length + between)
    return parseStoredAddress(to.replace('*', () => star))
  }
  return undefined
}

function masqueraded({ masquerade, exceptions }: Rewriting, address: Address): Address | undefined {
  if (masquerade.length === 0) return undefined
  const { local, domain } = canonical(address)
  if (exceptions.has(local)) return undefined
  const found = masquerade.find(
    each => domain === each.domain || domain.endsWith(`.${each.domain}`),
  )
  return found === undefined || found.keep ? undefined : { ...address, domain: found.domain }
}

/** What a config says, made ready; undefined where it says nothing. */
export function rewritingOf(written: {
  readonly sender: Readonly<Record<string, string>>
  readonly recipient: Readonly<Record<string, string>>
  readonly canonical: Readonly<Record<string, string>>
  readonly masquerade: readonly string[]
  readonly exceptions: readonly string[]
  readonly parts: readonly ('envelope' | 'header')[]
}): Rewriting | undefined {
  const { sender, recipient, canonical: both, masquerade, exceptions, parts } = written
  if (
    masquerade.length === 0 &&
    [sender, recipient, both].every(map => Object.keys(map).length === 0)
  )
    return undefined
  const domains = masquerade.map(text => ({
    domain: canonicalDomain(text.replace(/^!/, '')),
    keep: text.startsWith('!'),
  }))
  return {
    sender: mappingOf(sender),
    recipient: mappingOf(recipient),
    canonical: mappingOf(both),
    masquerade: domains.sort((a, b) => b.domain.length - a.domain.length),
    exceptions: new Set(exceptions.map(canonicalLocal)),
    envelope: parts.includes('envelope'),
    header: parts.includes('header'),
  }
}

function mappingOf(written: Readonly<Record<string, string>>): Mapping {
  const exact = new Map<string, string>()
  const patterns: Mapping['patterns'][number][] = []
  for (const [from, to] of Object.entries(written)) {
    const star = from.indexOf('*')
    if (star < 0) exact.set(addressKey(parseStoredAddress(from)), to)
    else {
      const key = addressKey(parseStoredAddress(from))
      patterns.push({
        before: key.slice(0, key.indexOf('*')),
        behind: key.slice(key.indexOf('*') + 1),
        to,
      })
    }
  }
  return { exact, patterns }
}
