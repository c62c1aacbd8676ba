/**
 * Addresses in transit: under which reverse-path a copy leaves, and whom it reaches that comes to an
 * address we made. Asked by the inbound roles for each recipient, by the worker for each copy, and for
 * each notice; everything follows from the settings, one secret of the store, and the clock.
 */
import { keepSetting } from '../account/writer.ts'
import { type Address, formatAddress, parseStoredAddress } from '../mail/address.ts'
import { refuse, type Verdict } from '../mail/verdict.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../world/clock.ts'
import type { Random } from '../world/random.ts'
import { reversePathOf } from './reader.ts'
import type { Seal } from './seal.ts'
import { forwardedSender, looksLikeSrs, reversed } from './srs.ts'

export interface TransitSettings {
  /** Absent: what is forwarded keeps its reverse-path. */
  readonly srs?: SrsSettings
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

  /**
   * The reverse-path of a copy that goes elsewhere, where it is another than the sender's. Only what an
   * alias forwards for a sender elsewhere is rewritten: the null one is nobody's (RFC 5321 §4.5.5),
   * and our own domains name us themselves.
   */
  leaving(
    message: { readonly id: string; readonly reversePath: Address | null },
    copy: { readonly domain: string; readonly aliasOf: string | null },
  ): Address | undefined {
    const { srs } = this.#needs.settings()
    const { id: messageId, reversePath } = message
    if (srs === undefined || copy.aliasOf === null || reversePath === null) return undefined
    if (this.#isOurs(reversePath.domain, srs) || this.#isOurs(copy.domain, srs)) return undefined
    const nowMs = this.#needs.clock.now()
    return forwardedSender(reversePath, { ...srs, ...this.#seal(srs), messageId, nowMs })
  }

  /**
   * Whom mail to an address of ours is led to; undefined for all other addresses. Nothing that we
   * did not sign leads anywhere, so that nobody relays by it.
   * @param sender the reverse-path it comes with
   */
  arriving(
    address: Address,
    sender: Address | null,
  ): Arrival | undefined | Promise<Arrival | undefined> {
    const { srs } = this.#needs.settings()
    if (srs === undefined || !looksLikeSrs(address.local)) return undefined
    if (address.domain.toLowerCase() !== srs.domain) return undefined
    const name = formatAddress(address)
    if (sender !== null && srs.takes === 'bounces')
      return refused('7.1', `${name}: takes only bounces`)
    const nowMs = this.#needs.clock.now()
    const found = reversed(address.local, { ...srs, ...this.#seal(srs), nowMs })
    switch (found.kind) {
      case 'sender':
        // What we forwarded came back, forwarded by others, and was forwarded again.
        return this.arriving(found.address, sender) ?? { kind: 'leads', to: found.address }
      case 'reference':
        return this.#referred(found.messageId, name)
      case 'expired':
        return refused('1.1', `${name}: the message is too long ago`)
      case 'forged':
        return refused('1.1', `${name}: no such address here`)
    }
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
    return domain === '' || domain.toLowerCase() === own || this.#needs.isOurs(domain)
  }

  #seal({ secrets, hashLength }: SrsSettings): Seal {
    return { secrets: [...secrets, this.#kept], hashLength }
  }
}

function refused(detail: `${number}.${number}`, text: string): Arrival {
  return refuse(550, detail, text) as Arrival
}

/** A time of the settings in days, as stamps count. */
export function daysOf(durationMs: number): number {
  return Math.ceil(durationMs / DAY_MS)
}
