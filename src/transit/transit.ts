/**
 * Addresses in transit: under which reverse-path a copy leaves, and whom it reaches that comes to an
 * address we made. Asked by the inbound roles for each recipient, by the worker for each copy, and for
 * each notice; everything follows from the settings, one secret of the store, and the clock.
 */
import {
  addressKey,
  canonical,
  canonicalDomain,
  canonicalLocal,
  isRole,
} from '../account/address.ts'
import { keepSetting } from '../account/writer.ts'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import { refuse, type Verdict } from '../mail/verdict.ts'
import { verpRecipient, verpSender } from '../mail/verp.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import type { Random } from '../world/random.ts'
import { looksTagged, type TagKeys, tagged, takesTag, untagged } from './batv.ts'
import { reversePathOf } from './reader.ts'
import type { Seal } from './seal.ts'
import { forwardedSender, looksLikeSrs, reversed } from './srs.ts'

export interface TransitSettings {
  /** Absent: what is forwarded keeps its reverse-path. */
  readonly srs?: SrsSettings
  readonly batv?: BatvSettings
  readonly verp?: VerpSettings
}

export interface SrsSettings {
  /** Of the addresses we make; mail to it comes here. */
  readonly domain: string
  /** The first one signs; the secret of the store is believed beside them, and signs where there is none. */
  readonly secrets: readonly string[]
  readonly hashLength: number
  readonly keepDays: number
  /** What may come back: bounces, by the null reverse-path, or all. */
  readonly takes: 'bounces' | 'all'
}

export interface BatvSettings {
  /** Domains of ours whose senders get a tag. */
  readonly domains: readonly string[]
  readonly secrets: readonly string[]
  readonly keepDays: number
  /** What becomes of a bounce without one. */
  readonly untagged: 'take' | 'refuse'
}

export interface VerpSettings {
  /** Addresses, or all of a domain as `*@domain`. */
  readonly senders: readonly string[]
  readonly delimiters: string
  /** What parts a local part from its detail here. */
  readonly separator: string
}

/** An address of ours that leads on, or why it does not. */
export type Arrival =
  | { readonly kind: 'leads'; readonly to: Address }
  | Exclude<Verdict, { kind: 'accept' }>

export interface TransitNeeds {
  readonly store: Store
  readonly clock: Clock
  readonly settings: () => TransitSettings
  /** Whether a domain is ours, so that its SPF record names us. */
  readonly isOurs: (domain: string) => boolean
}

const SECRET = 'transit.secret'
const SECRET_OCTETS = 32
const DAY_MS = 24 * 3_600_000

export class Transit {
  readonly #needs: TransitNeeds
  /** Kept in the store, so that all nodes share it and a backup has it. */
  readonly #kept: string

  /** Use `open`. */
  constructor(needs: TransitNeeds, kept: string) {
    this.#needs = needs
    this.#kept = kept
  }

  static async open(needs: TransitNeeds, random: Random): Promise<Transit> {
    const value = Buffer.from(random.octets(SECRET_OCTETS)).toString('base64url')
    return new Transit(needs, await needs.store.write(keepSetting, { name: SECRET, value }))
  }

  /** Whether a message that is forwarded by nobody may leave under another reverse-path than its own. */
  signs({ verp }: { readonly verp?: string }): boolean {
    const { batv, verp: lists } = this.#needs.settings()
    return verp !== undefined || batv !== undefined || lists !== undefined
  }

  /**
   * The reverse-path of a copy that goes elsewhere, where it is another than the sender's. The null one is
   * nobody's (RFC 5321 §4.5.5). What an alias forwards is rewritten for senders elsewhere, since our own
   * domains name us themselves; lists have one for each recipient, and others a tag.
   */
  leaving(
    message: { readonly id: string; readonly reversePath: Address | null; readonly verp?: string },
    copy: { readonly address: Address; readonly aliasOf: string | null },
  ): Address | undefined {
    const { srs, verp } = this.#needs.settings()
    const { id: messageId, reversePath } = message
    if (reversePath === null) return undefined
    const nowMs = this.#needs.clock.now()
    const elsewhere = ({ domain }: Address) =>
      srs !== undefined && !this.#isOurs(domain, srs) && domain !== ''
    if (srs && copy.aliasOf !== null && elsewhere(reversePath) && elsewhere(copy.address)) {
      return forwardedSender(reversePath, { ...srs, ...this.#seal(srs), messageId, nowMs })
    }
    const listed = verp && isAmong(verp.senders, reversePath) ? verp.delimiters : undefined
    const delimiters = message.verp ?? listed
    if (delimiters !== undefined) {
      const named = copy.aliasOf === null ? copy.address : parseStoredAddress(copy.aliasOf)
      const each = verpSender(reversePath, named, delimiters)
      const path = each && this.#answerable(each, nowMs)
      if (path !== undefined) return path
    }
    return this.#withTag(reversePath, nowMs)
  }

  /** With a tag, where its domain has them; undefined where it has none, or no room for it. */
  #withTag(sender: Address, nowMs: number): Address | undefined {
    const { batv } = this.#needs.settings()
    if (batv === undefined || !isAmong(batv.domains, sender) || !takesTag(sender)) return undefined
    return tagged(sender, this.#tagKeys(batv), nowMs)
  }

  /**
   * The address of one recipient, such that a bounce to it is taken: it is known as a list's (`arriving`), or has a tag
   * as others of its domain; undefined where that would not fit.
   */
  #answerable(each: Address, nowMs: number): Address | undefined {
    const { batv, verp } = this.#needs.settings()
    if (batv === undefined || !isAmong(batv.domains, each)) return each
    if (verp && isOfList(verp, each)) return each
    return this.#withTag(each, nowMs) ?? (batv.untagged === 'take' ? each : undefined)
  }

  /**
   * Whom mail to an address of ours is led to; undefined for all other addresses. Nothing that we
   * did not sign leads anywhere, so that nobody relays by it.
   * @param sender the reverse-path it comes with
   * @param stranger whether another server brings it
   */
  arriving(
    address: Address,
    sender: Address | null,
    stranger = false,
  ): Arrival | undefined | Promise<Arrival | undefined> {
    const { srs, batv, verp } = this.#needs.settings()
    // Its own hash is its tag.
    if (srs && looksLikeSrs(address.local) && canonicalDomain(address.domain) === srs.domain)
      return this.#returned(srs, address, sender, stranger)
    // What is not ours is led nowhere, whatever the settings name.
    const list = verp && this.#needs.isOurs(address.domain) ? listOf(verp, address) : undefined
    if (list !== undefined) return { kind: 'leads', to: list }
    if (batv === undefined || !isAmong(batv.domains, address)) return undefined
    // What left for one recipient of a list left without a tag.
    const bounce = stranger && sender === null && !(verp && isOfList(verp, address))
    return this.#bounced(batv, address, bounce)
  }

  /** An address of SRS leads to the sender it was made for. */
  #returned(
    srs: SrsSettings,
    address: Address,
    sender: Address | null,
    stranger: boolean,
  ): Arrival | Promise<Arrival | undefined> {
    const name = formatAddress(address)
    if (sender !== null && srs.takes === 'bounces')
      return refused('7.1', `${name}: takes only bounces`)
    const nowMs = this.#needs.clock.now()
    const found = reversed(address.local, { ...srs, ...this.#seal(srs), nowMs })
    switch (found.kind) {
      case 'sender':
        // What we forwarded came back, forwarded by others, and was forwarded again.
        return (
          this.arriving(found.address, sender, stranger) ?? { kind: 'leads', to: found.address }
        )
      case 'reference':
        return this.#referred(found.messageId, name)
      case 'expired':
        return refused('1.1', `${name}: the message is too long ago`)
      case 'forged':
        return refused('1.1', `${name}: no such address here`)
    }
  }

  /** A tag says whose the address is; without one a bounce is of something we did not send. */
  #bounced(batv: BatvSettings, address: Address, bounce: boolean): Arrival | undefined {
    const name = formatAddress(address)
    if (looksTagged(address.local)) {
      const to = untagged(address, this.#tagKeys(batv), this.#needs.clock.now())
      return to ? { kind: 'leads', to } : refused('1.1', `${name}: no such address here`)
    }
    // Roles answer everybody, and what takes no tag never had one.
    const exempt = isRole(canonicalLocal(address.local)) || !takesTag(address)
    if (!bounce || exempt || batv.untagged === 'take') return undefined
    return refused('7.1', `${name}: the message was not sent from here`)
  }

  /** As `arriving`, for mail of our own, which is bounces: the address itself where it leads nowhere. */
  async led(address: Address): Promise<Address> {
    const arrival = await this.arriving(address, null)
    return arrival?.kind === 'leads' ? arrival.to : address
  }

  async #referred(messageId: string, name: string): Promise<Arrival> {
    const path = await this.#needs.store.read(reversePathOf, messageId)
    if (path) return { kind: 'leads', to: parseStoredAddress(path) }
    return refused('1.1', `${name}: the message is too long ago`)
  }

  #isOurs(domain: string, { domain: own }: SrsSettings): boolean {
    return domain === '' || canonicalDomain(domain) === own || this.#needs.isOurs(domain)
  }

  #tagKeys({ secrets, keepDays }: BatvSettings): TagKeys {
    return { secrets: [...secrets, this.#kept], keepDays }
  }

  #seal({ secrets, hashLength }: SrsSettings): Seal {
    return { secrets: [...secrets, this.#kept], hashLength }
  }
}

/**
 * The list that a bounce of it comes back to: its address with the recipient as detail, so that its mailbox
 * shows him. With our own separator before him the directory finds it by itself.
 */
function listOf(
  { senders, delimiters, separator }: VerpSettings,
  address: Address,
): Address | undefined {
  if (separator === '' || delimiters.startsWith(separator)) return undefined
  for (const sender of senders) {
    const { local, domain } = parseStoredAddress(sender)
    if (local === '*' || canonicalDomain(domain) !== canonicalDomain(address.domain)) continue
    const recipient = verpRecipient(address.local, local, delimiters)
    if (recipient === undefined) continue
    return { domain, local: `${local}${separator}${recipient.local}=${recipient.domain}` }
  }
  return undefined
}

/** Whether an address is what VERP has made of one of the senders, for any recipient. */
function isOfList({ senders, delimiters }: VerpSettings, address: Address): boolean {
  return senders.some(sender => {
    const { local, domain } = parseStoredAddress(sender)
    if (canonicalDomain(domain) !== canonicalDomain(address.domain)) return false
    const cut = address.local.indexOf(delimiters.charAt(0))
    const owner = local === '*' ? address.local.slice(0, Math.max(0, cut)) : local
    return owner !== '' && verpRecipient(address.local, owner, delimiters) !== undefined
  })
}

/** Whether an address, or its domain, is named by a list. */
function isAmong(names: readonly string[], address: Address): boolean {
  const { domain } = canonical(address)
  const key = addressKey(address)
  return names.some(name => {
    const wanted = name.startsWith('*@') ? name.slice(2) : name
    return wanted.includes('@')
      ? addressKey(parseStoredAddress(wanted)) === key
      : canonicalDomain(wanted) === domain
  })
}

function refused(detail: `${number}.${number}`, text: string): Arrival {
  return refuse(550, detail, text) as Arrival
}

/** A time of the settings in days, as stamps count. */
export function daysOf(durationMs: number): number {
  return Math.ceil(durationMs / DAY_MS)
}
