/**
 * One connection as the limits see it, whatever protocol it speaks: who it is, whether it may speak here,
 * what it does wrong, and when there was enough of it. Made by visits.ts for serve.ts; the roles of all
 * protocols ask it, and the pump tells it what sessions note.
 */
import type { LoginAnswer } from '../sasl/mechanism.ts'
import type { Noted } from '../wire/effect.ts'
import type { Network } from '../wire/network.ts'
import { isExempt } from './exempt.ts'
import { isLoopback } from './loopback.ts'
import { holderOf } from './subject.ts'
import type { Doorkeeper } from './visits.ts'

/** Whether a peer may speak here: 421 4.7.0, or 4.3.2 where it is we who cannot; BYE; -ERR [SYS/TEMP]. */
export type Admission =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'turned'; readonly by: TurnedBy; readonly why: string }

export type TurnedBy = 'ban' | 'limit' | 'rate' | 'load'

/** One for all who are let in. */
const WELCOME: Admission = { kind: 'welcome' }

/** Whose visit it is: he hears when there was enough of it. */
export interface Guest {
  dismiss(why: string): void
}

/** What a role asks of a visit. */
export interface Visitor {
  /** Whom the peer counts as. */
  readonly holder: string
  /** How many logins on this connection came to nothing. */
  readonly tries: number
  /** Whether the peer may speak here, as who he is now (XCLIENT makes him another). */
  admission(address: string): Admission
  /** Whether it may log in just now, without a look at what it says. */
  mayLogIn(): boolean
  /** What came of a question about a login; the answer as the peer is to have it. */
  answered(kind: string, answer: LoginAnswer, guess?: number): LoginAnswer
  /** It is told to come later: how long that waits, ms. */
  later(): number
  /** Whether one more message may begin; it is counted. */
  message(): Admission
  /** The same for recipients. */
  recipients(count: number): boolean
  /** It named somebody who is not here. */
  unknownRecipient(): void
}

/** The commands of so many are counted together. */
const COMMANDS_AT_ONCE = 64

export class Visit implements Visitor {
  readonly begunMs: number
  readonly #door: Doorkeeper
  /** What the peer itself is exempt by; not he for whom it comes to speak. */
  #trusted: readonly Network[]
  readonly #guest: Guest
  #address: string
  #exempt: boolean
  #counted = false
  #admission: Admission | undefined
  #accountId: number | undefined
  #commands = 0
  #mistakes = 0
  #tries = 0
  /** A login that a mechanism has been told the keys for, and that has proven nothing yet. */
  #trying = false
  #dismissed = false
  #ended = false

  /**
   * @param trusted networks whose peers speak for others at this door: of them no rate is kept
   * @param guest whose session can be ended, with a word
   */
  constructor(door: Doorkeeper, address: string, trusted: readonly Network[], guest: Guest) {
    this.#door = door
    this.#address = address
    this.#trusted = trusted
    this.#guest = guest
    this.begunMs = door.clock.monotonic()
    this.#exempt = this.#isExempt()
  }

  get address(): string {
    return this.#address
  }

  get loggedIn(): boolean {
    return this.#accountId !== undefined
  }

  get tries(): number {
    return this.#tries
  }

  get exempt(): boolean {
    return this.#exempt
  }

  admission(address = this.#address): Admission {
    if (this.#admission !== undefined && address === this.#address) return this.#admission
    this.#leave()
    if (address !== this.#address) this.#trusted = []
    this.#address = address
    this.#exempt = this.#isExempt()
    this.#admission = this.#enter()
    if (this.#admission.kind === 'turned') this.#door.turned(this.#admission.by)
    return this.#admission
  }

  #enter(): Admission {
    const { connections, rates, load } = this.#door
    if (load.shedding) return turned('load', 'too busy just now; try again later')
    const banned = this.#exempt ? undefined : this.#door.bans.of(this.#address)
    if (banned !== undefined) return turned('ban', 'turned away for a while; try again later')
    if (!this.#exempt && rates.connections.add(this.holder)) {
      return turned('rate', 'too many connections in a short time; try again later')
    }
    const forMany = this.#exempt || isLoopback(this.#address)
    const crowded = connections.enter(this.#address, forMany)
    if (crowded !== undefined) {
      return turned('limit', `too many connections ${crowded}; try again later`)
    }
    this.#counted = true
    return WELCOME
  }

  mayLogIn(): boolean {
    return this.#exempt || !this.#door.failures.full(this.holder)
  }

  answered(kind: string, answer: LoginAnswer, guess?: number): LoginAnswer {
    // Whoever was told keys and comes with another question has proven nothing by them.
    if (kind !== 'proven') this.#settle()
    switch (answer.kind) {
      case 'verifier':
      case 'secret':
        this.#trying = true
        return answer
      case 'denied':
        this.#trying = false
        this.#failed(guess)
        return answer
      case 'account':
        this.#trying = false
        return this.#logIn(answer)
      case 'gss':
      case 'unavailable':
        return answer
    }
  }

  later(): number {
    this.#tries++
    return this.#ended ? 0 : this.#door.crowd.waitMs(this)
  }

  #logIn(answer: LoginAnswer & { readonly kind: 'account' }): LoginAnswer {
    const { id } = answer.account
    // Who has gone before his password was hashed has no session, and would never leave it.
    if (this.#accountId !== id && !this.#ended) {
      if (!this.#door.enterAccount(id, isLoopback(this.#address))) {
        return { kind: 'unavailable', limit: true, why: 'too many sessions of this account' }
      }
      this.#door.leaveAccount(this.#accountId)
      this.#accountId = id
    }
    return answer
  }

  message(): Admission {
    if (this.#door.load.shedding) return turned('load', 'too busy just now; try again later')
    if (this.#within(this.#door.rates.messages, 1)) return { kind: 'welcome' }
    return turned('rate', 'too many messages in a short time; try again later')
  }

  recipients(count: number): boolean {
    return this.#within(this.#door.rates.recipients, count)
  }

  unknownRecipient(): void {
    if (this.#free || !this.#door.rates.badRecipients.add(this.holder)) return
    this.#ban('guessing at recipients')
  }

  /** What the session does, as the pump hears of it: how long what is said about it is to wait, ms. */
  noted(what: Noted): number {
    return what === 'command' ? this.#command() : this.#mistake()
  }

  #command(): number {
    const { commands } = this.#door.limits()
    this.#commands++
    if (commands > 0 && this.#commands > commands) this.dismiss('too many commands')
    if (this.#exempt || this.#commands % COMMANDS_AT_ONCE !== 0) return 0
    if (this.#door.rates.commands.add(this.holder, COMMANDS_AT_ONCE)) {
      this.dismiss('too many commands in a short time')
    }
    return 0
  }

  /** Growing delays (a tarpit), by a timer of the pump: they hold no memory and keep nobody else waiting. */
  #mistake(): number {
    if (this.#accountId !== undefined) return 0
    const crowdMs = this.#door.crowd.waitMs(this)
    if (this.#exempt) return crowdMs
    this.#mistakes++
    if (this.#door.rates.errors.add(this.holder)) this.#ban('too many errors')
    const { after, first, longest } = this.#door.limits().tarpit
    const beyond = this.#mistakes - after
    return Math.max(crowdMs, beyond <= 0 ? 0 : Math.min(longest, first * beyond))
  }

  /** Policy has had enough of the peer; once. */
  dismiss(why: string): void {
    if (this.#dismissed) return
    this.#dismissed = true
    this.#guest.dismiss(why)
  }

  /** The connection is gone. */
  end(): void {
    this.#ended = true
    this.#settle()
    this.#leave()
    this.#door.crowd.left(this)
    this.#door.leaveAccount(this.#accountId)
    this.#accountId = undefined
  }

  #leave(): void {
    if (this.#counted) this.#door.connections.leave(this.#address)
    this.#counted = false
    this.#admission = undefined
  }

  #settle(): void {
    if (!this.#trying) return
    this.#trying = false
    this.#failed(undefined)
  }

  /** The same guess again is the same mistake: a program that keeps an old password is no thief. */
  #failed(guess: number | undefined): void {
    this.#tries++
    if (this.#exempt) return
    const { failures } = this.#door
    if (failures.add(this.holder, guess)) this.#ban('failed logins')
  }

  #ban(reason: string): void {
    this.#door.bans.add(this.#address, reason)
    this.dismiss(reason)
  }

  #within(rate: { add(key: string, much?: number): boolean }, much: number): boolean {
    return this.#free || !rate.add(this.holder, much)
  }

  /** Of whom no rate is kept: who has logged in has limits of his account. */
  get #free(): boolean {
    return this.#exempt || this.#accountId !== undefined
  }

  get holder(): string {
    return holderOf(this.#address)
  }

  #isExempt(): boolean {
    return isExempt(this.#address, [...this.#door.limits().exempt, ...this.#trusted])
  }
}

function turned(by: TurnedBy, why: string): Admission {
  return { kind: 'turned', by, why }
}
