/**
 * `match` of a rule: conditions on a message and one of its recipients, all of which must hold. A list in a
 * condition holds where one of it does. What is not known of a message yet (its header, before anybody has
 * read it) is neither yes nor no: the rule is undecided, and says what it needs.
 */
import type { Address } from '../mail/address.ts'
import { isWithin, type Network, parseNetwork } from '../wire/network.ts'
import {
  type AddressPattern,
  comparable,
  covers,
  type Glob,
  glob,
  matchesAddress,
  matchesGlob,
  parseAddressPattern,
} from './pattern.ts'

/** Who let a message in. */
export type Origin = 'mx' | 'submission' | 'local' | 'notice'

export const ORIGINS: readonly Origin[] = ['mx', 'submission', 'local', 'notice']

/** Conditions as the config has them, each checked. */
export interface Match {
  /** Patterns of addresses; 'local' and 'remote': by whether the domain is ours. */
  readonly recipient?: readonly string[] | undefined
  /** Patterns of the reverse-path; `<>` is the null one. */
  readonly sender?: readonly string[] | undefined
  /** Patterns of the account that handed it in. */
  readonly account?: readonly string[] | undefined
  /** Networks of the peer, or origins. */
  readonly source?: readonly string[] | undefined
  /** Of the whole message; both bounds must hold. */
  readonly size?: SizeBounds | undefined
  /** Name of a field to patterns of its text: one of its fields must match one of them. */
  readonly header?: Readonly<Record<string, readonly string[]>> | undefined
}

/** Octets: more than, at least, less than, at most. */
export interface SizeBounds {
  readonly text: string
  readonly over?: number
  readonly under?: number
}

/** What is known of a message and one of its recipients. */
export interface Facts {
  readonly recipient: Address
  readonly sender: Address | null
  readonly origin: Origin
  /** The address of the peer that handed it in; '' where it has none. */
  readonly peer: string
  /** The account that handed it in, null where none did; absent where nobody has looked. */
  readonly account?: Address | null
  readonly sizeOctets?: number
  /** The texts of all fields with a name, in lower case; absent where nobody has read it. */
  readonly header?: (name: string) => readonly string[]
  /** The operator has let it go: it is held no more. */
  readonly released?: boolean
}

/** A fact that a rule asks for and that is not known. */
export type Need = 'account' | 'size' | 'header'

export interface Condition {
  readonly name: keyof Match
  /** What it asks for, as people read it. */
  readonly text: string
  holds(facts: Facts): boolean | Need
  /** What the message has instead, as people read it. */
  shown(facts: Facts): string
}

/** The conditions of a rule, quickest first: what needs a look into the message is asked last. */
export function conditionsOf(match: Match, isLocal: (domain: string) => boolean): Condition[] {
  const { recipient, sender, account, source, size, header = {} } = match
  const conditions: Condition[] = []
  if (recipient) conditions.push(recipientCondition(recipient, isLocal))
  if (sender) conditions.push(addressCondition('sender', sender, facts => facts.sender))
  if (source) conditions.push(sourceCondition(source))
  if (size) conditions.push(sizeCondition(size))
  if (account) conditions.push(addressCondition('account', account, facts => facts.account))
  for (const [name, patterns] of Object.entries(header)) {
    conditions.push(headerCondition(name.toLowerCase(), patterns))
  }
  return conditions
}

function recipientCondition(
  texts: readonly string[],
  isLocal: (domain: string) => boolean,
): Condition {
  const local = texts.includes('local')
  const remote = texts.includes('remote')
  const byPattern = addressCondition(
    'recipient',
    texts.filter(text => text !== 'local' && text !== 'remote'),
    facts => facts.recipient,
  )
  return {
    ...byPattern,
    text: texts.join(', '),
    holds(facts) {
      const ours = (local || remote) && isLocal(facts.recipient.domain)
      if ((local && ours) || (remote && !ours)) return true
      return byPattern.holds(facts)
    },
  }
}

function addressCondition(
  name: 'recipient' | 'sender' | 'account',
  texts: readonly string[],
  of: (facts: Facts) => Address | null | undefined,
): Condition {
  const patterns = texts.map(text => parseAddressPattern(text)).filter(one => one !== undefined)
  // Long lists of whole addresses and domains are looked up, the others tried one by one.
  const plain = new Set(texts.filter(text => !text.includes('*')).map(plainKey))
  const others = patterns.filter(({ text }) => text.includes('*') || text === '<>')
  return {
    name,
    text: texts.join(', '),
    holds(facts) {
      const address = of(facts)
      if (address === undefined) return 'account'
      if (address !== null && plain.size > 0 && isAmong(plain, address)) return true
      return others.some((pattern: AddressPattern) => matchesAddress(pattern, address))
    },
    shown(facts) {
      const address = of(facts)
      if (address) return `${address.local}@${address.domain}`
      return name === 'sender' ? '<>' : 'none'
    },
  }
}

function plainKey(text: string): string {
  const at = text.lastIndexOf('@')
  return comparable({ local: text.slice(0, at), domain: text.slice(at + 1) }).whole
}

function isAmong(plain: ReadonlySet<string>, address: Address): boolean {
  const { whole, ofDomain } = comparable(address)
  return plain.has(whole) || plain.has(ofDomain)
}

function sourceCondition(texts: readonly string[]): Condition {
  const networks: Network[] = texts.map(parseNetwork).filter(one => one !== undefined)
  return {
    name: 'source',
    text: texts.join(', '),
    holds: ({ origin, peer }) =>
      texts.includes(origin) || (networks.length > 0 && peer !== '' && isWithin(peer, networks)),
    shown: ({ origin, peer }) => (peer === '' ? origin : `${origin}, ${peer}`),
  }
}

function sizeCondition({ text, over, under }: SizeBounds): Condition {
  return {
    name: 'size',
    text,
    holds: ({ sizeOctets }) =>
      sizeOctets === undefined
        ? 'size'
        : (over === undefined || sizeOctets > over) && (under === undefined || sizeOctets < under),
    shown: ({ sizeOctets = 0 }) => `${sizeOctets} octets`,
  }
}

function headerCondition(name: string, texts: readonly string[]): Condition {
  const patterns: Glob[] = texts.map(glob)
  return {
    name: 'header',
    text: `${name}: ${texts.join(', ')}`,
    holds: ({ header }) =>
      header === undefined
        ? 'header'
        : header(name).some(text => patterns.some(pattern => matchesGlob(pattern, text))),
    shown: ({ header }) => header?.(name)[0]?.slice(0, 100) ?? `no ${name}`,
  }
}

/** Whether whatever `inner` matches is matched by `outer` too, as far as can be told without mail. */
export function includes(outer: Match, inner: Match): boolean {
  const lists = ['recipient', 'sender', 'account', 'source'] as const
  for (const name of lists) {
    if (outer[name] !== undefined && !coversAll(outer[name], inner[name])) return false
  }
  if (outer.size !== undefined && !boundsWithin(outer.size, inner.size)) return false
  const wanted = Object.entries(outer.header ?? {})
  return wanted.every(([name, patterns]) => {
    const here = Object.entries(inner.header ?? {}).find(
      ([other]) => other.toLowerCase() === name.toLowerCase(),
    )
    return coversAll(patterns, here?.[1])
  })
}

function coversAll(outer: readonly string[], inner: readonly string[] | undefined): boolean {
  if (outer.includes('local') && outer.includes('remote')) return true
  return inner?.every(text => outer.some(other => other === text || covers(other, text))) ?? false
}

function boundsWithin(outer: SizeBounds, inner: SizeBounds | undefined): boolean {
  if (inner === undefined) return false
  const { over = -1, under = Number.POSITIVE_INFINITY } = inner
  return over >= (outer.over ?? -1) && under <= (outer.under ?? Number.POSITIVE_INFINITY)
}
