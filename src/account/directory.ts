/**
 * Who an address is, here: asked for every recipient, at RCPT and again at delivery.
 *
 * An exact account or alias comes first, then the address without its detail (`user+detail`), then
 * the domain's catch-all, then for postmaster and abuse the configured account (RFC 5321 §4.5.1,
 * RFC 2142). What was found is remembered, in bounded memory, until anything changes; `cached`
 * answers from there without a promise. Follows no alias: expand.ts does.
 */
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import type { Account } from '../sasl/mechanism.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import { accountMade } from './account-made.ts'
import { canonical, canonicalLocal, isRole, withoutDetail } from './address.ts'
import type { AddressAuthority } from './authority.ts'
import type { Expansion } from './expand.ts'
import { type Identity, identitiesOf } from './identity-row.ts'
import { Lately } from './lately.ts'
import { limitOf, type QuotaLimit } from './quota.ts'
import { addressSince, type Found, findAddress, findNamesakes, firstAccount } from './reader.ts'
import { Recent } from './recent.ts'
import type { AccountSettings } from './settings.ts'

export type Resolution =
  | { readonly kind: 'account'; readonly account: Account; readonly limit?: QuotaLimit }
  /** Targets as they were written; a catch-all or role is an alias with one target. */
  | { readonly kind: 'alias'; readonly via: AliasKind; readonly targets: readonly Address[] }
  /** Ours, but closed for now. */
  | { readonly kind: 'disabled'; readonly account: Account }
  /** The domain is ours, and has nobody by that name. */
  | { readonly kind: 'unknown' }
  /** The domain is not ours. */
  | { readonly kind: 'foreign' }

export type AliasKind = 'alias' | 'catch-all' | 'role'

/** An alias with more targets than this is refused by expand.ts. */
export const TARGETS_MAX = 1_000

const KNOWN_MAX = 20_000
/** Accounts of which it is remembered whom they may write as. */
const IDENTITIES_MAX = 2_000
const KNOWN_MS = 5 * 60_000
/** Names that lead nowhere are kept apart, fewer and shorter: a peer that guesses evicts nobody. */
const NOBODY_MAX = 4_000
const NOBODY_MS = 30_000

const unknown: Resolution = { kind: 'unknown' }
const foreign: Resolution = { kind: 'foreign' }

export class Directory {
  readonly #store: Store
  readonly #clock: Clock
  readonly #settings: () => AccountSettings
  readonly #others: () => AddressAuthority | undefined
  readonly #known = new Recent<Resolution>(KNOWN_MAX, KNOWN_MS)
  readonly #nobody = new Recent<Resolution>(NOBODY_MAX, NOBODY_MS)
  readonly #identities = new Recent<readonly Identity[]>(IDENTITIES_MAX, KNOWN_MS)
  readonly #lately = new Lately<Resolution>()
  /** What expand.ts made of the last address. */
  readonly expanded = new Lately<Expansion>()
  /** Grows with every change, so that an answer read before it is not remembered after it. */
  #generation = 0

  /** `others`: who knows addresses that are no rows yet. */
  constructor(
    store: Store,
    clock: Clock,
    settings: () => AccountSettings,
    others: () => AddressAuthority | undefined = () => undefined,
  ) {
    this.#store = store
    this.#clock = clock
    this.#settings = settings
    this.#others = others
  }

  /** The clock by which it forgets. */
  now(): number {
    return this.#clock.monotonic()
  }

  /** What is known of an address at once; undefined: ask `resolve`. */
  cached(address: Address): Resolution | undefined {
    const now = this.now()
    const lately = this.#lately.get(address, now)
    if (lately !== undefined) return lately
    const key = cacheKey(canonical(address))
    const found = this.#known.get(key, now) ?? this.#nobody.get(key, now)
    if (found !== undefined) this.#lately.set(address, found, now)
    return found
  }

  /** Looks an address up. Rejects only if the store does. */
  async resolve(address: Address): Promise<Resolution> {
    const known = this.cached(address)
    if (known !== undefined) return known
    const generation = this.#generation
    const wanted = canonical(address)
    const found = await this.#look(wanted, this.#others())
    if (generation === this.#generation) {
      const lasting =
        found.kind === 'unknown' || found.kind === 'foreign' ? this.#nobody : this.#known
      lasting.set(cacheKey(wanted), found, this.#clock.monotonic())
    }
    return found
  }

  /** Accounts and aliases with this local part, in whatever domain: one, none, or the first two. */
  async namesakes(local: string): Promise<readonly Address[]> {
    const name = formatAddress({ local: canonicalLocal(local), domain: '' })
    return (await this.#store.read(findNamesakes, name)).map(parseStoredAddress)
  }

  /** Whom the rows let an account write as. Rejects only if the store does. */
  async identities(accountId: number): Promise<readonly Identity[]> {
    const key = String(accountId)
    const known = this.#identities.get(key, this.now())
    if (known !== undefined) return known
    const generation = this.#generation
    const read = await this.#store.read(identitiesOf, accountId)
    if (generation === this.#generation) this.#identities.set(key, read, this.now())
    return read
  }

  /** This very host, as the domain of who was named at an address of it (RFC 1123 §5.2.17). */
  get hostname(): string {
    return this.#settings().hostname ?? ''
  }

  /** Since when an address of ours leads to whom it leads (tenure.ts). Rejects only if the store does. */
  since(address: Address): Promise<number | undefined> {
    const { local, domain } = canonical(address)
    const base = withoutDetail(local, this.#settings().separator) ?? local
    const key = formatAddress({ local, domain })
    return this.#store.read(addressSince, { key, base: formatAddress({ local: base, domain }) })
  }

  /** Domains, accounts, aliases or settings have changed: what was remembered may be wrong. */
  changed(): void {
    this.#generation++
    this.#known.drop()
    this.#nobody.drop()
    this.#identities.drop()
    this.#lately.drop()
    this.expanded.drop()
  }

  async #look(
    { local, domain }: Address,
    others: AddressAuthority | undefined,
  ): Promise<Resolution> {
    // The one address without a domain (§4.1.1.3); any other is nobody's.
    if (domain === '') return local === 'postmaster' ? this.#role() : unknown
    const base = withoutDetail(local, this.#settings().separator) ?? local
    const found = await this.#store.read(findAddress, {
      key: formatAddress({ local, domain }),
      base: formatAddress({ local: base, domain }),
      domain,
      targetsMax: TARGETS_MAX,
    })
    if (!found.local) {
      // RFC 6761 §6.3: every host calls itself localhost, and programs of this one write to `root@localhost`.
      const own = domain === this.#settings().hostname || domain === 'localhost'
      return own ? this.#ofHost(base) : foreign
    }
    if (found.account === undefined && found.targets === undefined && others !== undefined) {
      const vouched = await this.#vouched({ local: base, domain }, others)
      if (vouched !== undefined) return vouched
    }
    return this.#resolutionOf(found) ?? (isRole(local) ? this.#role({ local, domain }) : unknown)
  }

  /** An address that is no row: who else knows it says whose it is, and then it becomes one. */
  async #vouched(address: Address, others: AddressAuthority): Promise<Resolution | undefined> {
    const asked = formatAddress(address)
    const name = await others.accountOf(asked)
    const account = name === undefined ? undefined : await accountMade(this.#store, name)
    if (account === undefined) return undefined
    if (account.address === asked) return this.#look(address, undefined)
    return { kind: 'alias', via: 'alias', targets: [parseStoredAddress(account.address)] }
  }

  #resolutionOf({ account, targets, catchAll }: Found): Resolution | undefined {
    if (account !== undefined) {
      const { id, address, disabled } = account
      if (disabled) return { kind: 'disabled', account: { id, address } }
      const limit = limitOf(account, this.#settings().quota)
      return { kind: 'account', account: { id, address }, ...(limit && { limit }) }
    }
    if (targets !== undefined)
      return { kind: 'alias', via: 'alias', targets: targets.map(parseStoredAddress) }
    if (catchAll !== null)
      return { kind: 'alias', via: 'catch-all', targets: [parseStoredAddress(catchAll)] }
    return undefined
  }

  /**
   * Our own name is no domain of accounts, but notices and cron jobs write from it, and programs of this machine
   * (`sendmail alice`) to it, and whoever knows our address alone (RFC 1123 §5.2.17): who is the only one of that
   * name anywhere here is meant.
   */
  async #ofHost(local: string): Promise<Resolution> {
    const [found, another] = await this.namesakes(local)
    if (found !== undefined && another === undefined)
      return { kind: 'alias', via: 'alias', targets: [found] }
    return isRole(local) || local === 'root' ? this.#role() : unknown
  }

  /** Whoever reads the mail for postmaster; `asked` must not lead back to itself. */
  async #role(asked?: Address): Promise<Resolution> {
    const set = this.#settings().postmaster
    const reader = set ? formatAddress(canonical(set)) : await this.#store.read(firstAccount, null)
    if (reader === undefined || (asked && formatAddress(asked) === reader)) return unknown
    return { kind: 'alias', via: 'role', targets: [parseStoredAddress(reader)] }
  }
}

/** A domain holds no `@`, so that the last one parts the two without quotes. */
function cacheKey({ local, domain }: Address): string {
  return `${local}@${domain}`
}
