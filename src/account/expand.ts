/**
 * Alias expansion (RFC 5321 §3.9.1): an accepted address becomes the addresses it stands for, each
 * of which gets a row of its own in the queue. Done once, when a message is accepted.
 *
 * Aliases may lead to aliases and outside. A loop or a second way to the same address collapses; how
 * far and how wide an expansion goes is bounded. Nothing here is dropped in silence: a target that
 * leads nowhere stays in the list, so that its delivery fails and is reported.
 */
import type { Address } from '../mail/address.ts'
import { addressKey } from './address.ts'
import { type Directory, type Resolution, TARGETS_MAX } from './directory.ts'
import type { QuotaLimit } from './quota.ts'

/** An address that mail is to be delivered or relayed to. */
export interface Final {
  readonly address: Address
  /** True where its mailbox is here. */
  readonly local: boolean
  /** The id of that mailbox's account. */
  readonly accountId?: number
  /** How much that account may hold. */
  readonly limit?: QuotaLimit
  /** The accepted address, where this one came out of an alias of it. */
  readonly aliasOf?: Address
}

export type Expansion =
  | { readonly kind: 'finals'; readonly finals: readonly Final[] }
  /** Nobody: the address itself is unknown, foreign or disabled. */
  | { readonly kind: 'none'; readonly why: 'unknown' | 'foreign' | 'disabled' }
  /** The alias is broken. loop: it leads only to itself; dead: only to nobody; wide, deep: too far. */
  | {
      readonly kind: 'broken'
      readonly why: 'loop' | 'dead' | 'wide' | 'deep'
      readonly text: string
    }

export interface ExpansionLimits {
  readonly finalsMax: number
  readonly depthMax: number
}

const defaultExpansionLimits: ExpansionLimits = { finalsMax: TARGETS_MAX, depthMax: 20 }

/** Expands an address. Rejects only if the store does. */
export async function expand(
  directory: Directory,
  address: Address,
  limits = defaultExpansionLimits,
): Promise<Expansion> {
  const walk = walkOf(address, limits)
  let step = walk.next()
  while (!step.done) {
    step = walk.next(directory.cached(step.value) ?? (await directory.resolve(step.value)))
  }
  return step.value
}

/** Expands an address from what the directory remembers; undefined: use `expand`. */
export function expandCached(
  directory: Directory,
  address: Address,
  limits = defaultExpansionLimits,
): Expansion | undefined {
  const usual = limits === defaultExpansionLimits
  const lately = usual ? directory.expanded.get(address, directory.now()) : undefined
  if (lately !== undefined) return lately
  const first = directory.cached(address)
  if (first === undefined) return undefined
  // Nearly every address is one account's, and walks nowhere.
  const expansion =
    first.kind === 'alias' ? walkCached(directory, address, limits) : plain(address, first)
  if (usual && expansion) directory.expanded.set(address, expansion, directory.now())
  return expansion
}

function walkCached(
  directory: Directory,
  address: Address,
  limits: ExpansionLimits,
): Expansion | undefined {
  const walk = walkOf(address, limits)
  let step = walk.next()
  while (!step.done) {
    const known = directory.cached(step.value)
    if (known === undefined) return undefined
    step = walk.next(known)
  }
  return step.value
}

interface Visit {
  readonly address: Address
  readonly depth: number
}

/** The expansion, asking for one address after the other: depth first, in the order of the targets. */
function* walkOf(
  accepted: Address,
  limits: ExpansionLimits,
): Generator<Address, Expansion, Resolution> {
  const first = yield accepted
  if (first.kind !== 'alias') return plain(accepted, first)

  const seen = new Set([addressKey(accepted)])
  const finals: Final[] = []
  let alive = 0
  let unexpanded = visits(first.targets, 1)
  let steps = 0
  while (unexpanded.length > 0) {
    // Aliases of aliases may repeat each other's members, but not without end.
    if (++steps > limits.finalsMax * limits.depthMax) return broken('wide', limits)
    const { address, depth } = unexpanded.pop() as Visit
    const key = addressKey(address)
    if (seen.has(key)) continue
    seen.add(key)
    const found = yield address
    if (found.kind === 'alias') {
      if (depth >= limits.depthMax) return broken('deep', limits)
      unexpanded = unexpanded.concat(visits(found.targets, depth + 1))
      continue
    }
    finals.push(finalOf(address, found, accepted))
    if (found.kind === 'account' || found.kind === 'foreign') alive++
    if (finals.length > limits.finalsMax) return broken('wide', limits)
  }
  if (finals.length === 0) return broken('loop', limits)
  return alive === 0 ? broken('dead', limits) : { kind: 'finals', finals }
}

/** An address that is no alias. */
function plain(address: Address, found: Exclude<Resolution, { kind: 'alias' }>): Expansion {
  if (found.kind !== 'account') return { kind: 'none', why: found.kind }
  const { limit, account } = found
  const final: Final = { address, local: true, accountId: account.id }
  return { kind: 'finals', finals: [limit === undefined ? final : { ...final, limit }] }
}

/** Targets as a stack: the first of them on top. */
function visits(targets: readonly Address[], depth: number): Visit[] {
  return targets.map(address => ({ address, depth })).reverse()
}

function finalOf(address: Address, found: Resolution, aliasOf: Address): Final {
  if (found.kind === 'foreign') return { address, local: false, aliasOf }
  if (found.kind !== 'account') return { address, local: true, aliasOf }
  const { limit, account } = found
  return { address, local: true, accountId: account.id, ...(limit && { limit }), aliasOf }
}

function broken(why: 'loop' | 'dead' | 'wide' | 'deep', limits: ExpansionLimits): Expansion {
  const texts = {
    loop: 'the alias leads only to itself',
    dead: 'the alias leads to nobody',
    wide: `the alias has more than ${limits.finalsMax} recipients`,
    deep: `the alias leads through more than ${limits.depthMax} others`,
  }
  return { kind: 'broken', why, text: texts[why] }
}

/** Whether an account may send as an address: its own, or one that brings mail to it. */
export async function mayUse(
  directory: Directory,
  accountId: number,
  address: Address,
): Promise<boolean> {
  const expansion = await expand(directory, address)
  return (
    expansion.kind === 'finals' && expansion.finals.some(final => final.accountId === accountId)
  )
}
