/**
 * The visits of all doors: what their limits share. It makes one for each connection, counts sessions by
 * account, ends those that last too long, and those of whom a ban has come to be. One for each node.
 */
import type { Count } from '../record/exposition.ts'
import { formatIp, isWithin, type Network } from '../wire/network.ts'
import type { Clock } from '../world/clock.ts'
import type { Ban, Bans } from './bans.ts'
import { add, type Connections } from './connections.ts'
import { Crowd } from './crowd.ts'
import type { Failures } from './failures.ts'
import type { SharedCounts, Sharing } from './shared-counts.ts'
import { holderOf } from './subject.ts'
import { type Rate, Tally } from './tally.ts'
import { type Admission, type Guest, type TurnedBy, Visit, type Visitor } from './visit.ts'

/** The part of `limits` that visits go by; durations in ms. */
export interface VisitLimits {
  readonly exempt: readonly Network[]
  /** Absent: `PER_ACCOUNT`, and from this machine half of all connections. */
  readonly perAccount?: number
  readonly connections: number
  /** Commands in one session; 0 is no limit. */
  readonly commands: number
  readonly rates: Readonly<Record<RateName, Rate | undefined>>
  readonly tarpit: { readonly after: number; readonly first: number; readonly longest: number }
  /** How long a session may last; 0 is no limit. */
  readonly sessionTime: number
}

export type RateName =
  | 'connections'
  | 'commands'
  | 'errors'
  | 'badRecipients'
  | 'messages'
  | 'recipients'

const PER_ACCOUNT = 100
const LOOK_MS = 60_000
/** Behind a ban the others are looked at together. */
const GATHER_MS = 500

export interface VisitNeeds {
  readonly clock: Clock
  readonly connections: Connections
  readonly failures: Failures
  readonly bans: Bans
  readonly load: { readonly shedding: boolean }
  readonly limits: () => VisitLimits
  /** What other nodes have counted, where there are any. */
  readonly shared?: SharedCounts | undefined
  /** Counts who is turned away. */
  readonly turnedAway: Pick<Count, 'add'>
}

/** What a visit needs of those who share its limits. */
export interface Doorkeeper extends Omit<VisitNeeds, 'turnedAway' | 'shared'> {
  readonly rates: Readonly<Record<RateName, Tally>>
  readonly crowd: Crowd
  turned(by: TurnedBy): void
  /** False where the account has as many sessions as it may. */
  enterAccount(id: number, fromHere: boolean): boolean
  leaveAccount(id: number | undefined): void
}

export class Visits implements Doorkeeper {
  readonly clock: Clock
  readonly connections: Connections
  readonly crowd: Crowd
  readonly failures: Failures
  readonly bans: Bans
  readonly load: { readonly shedding: boolean }
  readonly limits: () => VisitLimits
  readonly rates: Readonly<Record<RateName, Tally>>
  readonly #turnedAway: Pick<Count, 'add'>
  readonly #accounts: Sharing | undefined
  readonly #here = new Set<Visit>()
  readonly #byAccount = new Map<number, number>()
  #looking = false
  #gathering = false

  constructor({ turnedAway, ...needs }: VisitNeeds) {
    this.clock = needs.clock
    this.connections = needs.connections
    this.crowd = new Crowd(needs.clock)
    this.failures = needs.failures
    this.bans = needs.bans
    this.load = needs.load
    this.limits = needs.limits
    this.#turnedAway = turnedAway
    this.bans.onChange((network, banned) => this.#changed(network, banned))
    const { shared } = needs
    this.#accounts = shared?.share('standing.account')
    const tally = (name: RateName) =>
      new Tally(this.clock, () => this.limits().rates[name], shared?.share(name))
    this.rates = {
      connections: tally('connections'),
      commands: tally('commands'),
      errors: tally('errors'),
      badRecipients: tally('badRecipients'),
      messages: tally('messages'),
      recipients: tally('recipients'),
    }
  }

  /** A connection has come; `end` it when it is gone. */
  begin(address: string, trusted: readonly Network[], guest: Guest): Visit {
    const visit = new Visit(this, address, trusted, guest)
    this.#here.add(visit)
    if (!this.#looking) this.#lookLater()
    return visit
  }

  end(visit: Visit): void {
    visit.end()
    this.#here.delete(visit)
  }

  /** The ban that would turn an address away now: for `explain`. */
  banOf(address: string): Ban | undefined {
    return isWithin(address, this.limits().exempt) ? undefined : this.bans.of(address)
  }

  /** A ban has begun or was lifted, here or at another node. */
  #changed(network: Network, banned: boolean): void {
    if (!banned) {
      this.#forgive(network)
      return
    }
    if (this.#gathering) return
    this.#gathering = true
    this.clock.after(GATHER_MS, () => {
      this.#gathering = false
      for (const visit of this.#here) this.#expel(visit)
    })
  }

  turned(by: TurnedBy): void {
    this.#turnedAway.add(`by="${by}"`)
  }

  enterAccount(id: number, fromHere: boolean): boolean {
    const { perAccount, connections } = this.limits()
    const most = perAccount ?? (fromHere ? connections / 2 : PER_ACCOUNT)
    const elsewhere = fromHere ? 0 : (this.#accounts?.others(String(id)) ?? 0)
    if ((this.#byAccount.get(id) ?? 0) + elsewhere >= most) return false
    this.#changeAccount(id, 1)
    return true
  }

  leaveAccount(id: number | undefined): void {
    if (id !== undefined) this.#changeAccount(id, -1)
  }

  #changeAccount(id: number, change: 1 | -1): void {
    add(this.#byAccount, id, change)
    const { perAccount = PER_ACCOUNT } = this.limits()
    this.#accounts?.standing(String(id), this.#byAccount.get(id) ?? 0, perAccount)
  }

  /** Who was let in again begins anew, or the next mistake would be one too many. */
  #forgive({ octets, bits }: Network): void {
    if (bits !== 128 && bits !== 64) return
    const holder = holderOf(formatIp(octets))
    this.failures.forget(holder)
    for (const rate of Object.values(this.rates)) rate.forget(holder)
  }

  /** Who has logged in has proven himself: only an operator's word ends that. */
  #expel(visit: Visit): void {
    if (visit.exempt) return
    const ban = this.bans.of(visit.address)
    if (ban === undefined || (visit.loggedIn && ban.origin === 'limit')) return
    visit.dismiss('turned away for a while')
  }

  #lookLater(): void {
    this.#looking = true
    this.clock.after(LOOK_MS, () => this.#endOld())
  }

  #endOld(): void {
    this.#looking = false
    const { sessionTime } = this.limits()
    const before = this.clock.monotonic() - sessionTime
    for (const visit of this.#here) {
      if (sessionTime > 0 && visit.begunMs < before)
        visit.dismiss('the session has lasted too long')
    }
    if (this.#here.size > 0) this.#lookLater()
  }
}

/** A peer that is only thought of: nothing is counted, all is allowed but what a ban forbids. */
export function imagined(ban: Ban | undefined): Visitor {
  const admission: Admission =
    ban === undefined
      ? { kind: 'welcome' }
      : { kind: 'turned', by: 'ban', why: `turned away for a while (${ban.reason})` }
  return {
    holder: '',
    tries: 0,
    admission: () => admission,
    mayLogIn: () => true,
    answered: (_kind, answer) => answer,
    later: () => 0,
    message: () => ({ kind: 'welcome' }),
    recipients: () => true,
    unknownRecipient: () => undefined,
  }
}
