/**
 * What became of each recipient of one transaction so far. Written by transaction.ts reply by
 * reply, closed by session.ts: however the dialogue ends, every recipient has an outcome.
 */
import type { Outcome } from '../../mail/outcome.ts'
import type { Reply } from '../../mail/status.ts'
import type { Carry } from './question.ts'
import { classOf, replyText, statusOf } from './talk.ts'

/** What the hop has done by its yes, and what it has taken over with the message. */
export interface Keeps {
  readonly how: 'relayed' | 'mailbox'
  readonly dsn: boolean
  readonly deliverBy: boolean
  readonly tracked: boolean
}

interface Hop {
  readonly host?: string
  readonly address?: string
}

/** That of a message which is about to be offered. */
export function ledgerOf({ envelope, more = false }: Carry, { host, address }: Hop): Ledger {
  const ledger = new Ledger(envelope.recipients.length, {
    ...(host === undefined ? {} : { host }),
    ...(address === undefined ? {} : { address }),
  })
  ledger.more = more
  return ledger
}

export class Ledger {
  /** Places of recipients that RCPT took and whose outcome the end of the message decides. */
  readonly accepted: number[] = []
  /** What ends the message has been handed over: a loss now leaves doubt. */
  ended = false
  /** The hop knows the transaction by a name (RFC 1845). */
  named = false
  /** Some of the message's recipients are to go by a further transaction of the same connection. */
  more = false
  readonly #outcomes: (Outcome | undefined)[]
  readonly #hop: Hop

  constructor(recipients: number, hop: Hop) {
    this.#outcomes = new Array<Outcome | undefined>(recipients).fill(undefined)
    this.#hop = hop
  }

  settled(at: number): boolean {
    return this.#outcomes[at] !== undefined
  }

  accept(at: number): void {
    this.accepted.push(at)
  }

  fail(at: number, status: string, reason: string): void {
    this.#outcomes[at] = { kind: 'failed', status, reason, ...this.#hop }
  }

  failAll(status: string, reason: string): undefined {
    for (const at of this.#open()) this.fail(at, status, reason)
  }

  /** MAIL was refused: that is the outcome of all. */
  refuseAll(what: string, reply: Reply): void {
    for (const at of this.#open()) this.#refuse(at, what, reply, classOf(reply) === 5)
  }

  refuseRecipient(at: number, reply: Reply): void {
    const tooMany = saysTooMany(reply, this.accepted.length)
    if (tooMany) this.more = true
    this.#refuse(at, 'RCPT', reply, classOf(reply) === 5 && !tooMany, tooMany)
  }

  /** More recipients than a transaction may have: this one is not even named. */
  postpone(at: number, reason: string): void {
    const kind = 'deferred'
    this.more = true
    this.#outcomes[at] = { kind, status: '4.5.3', reason, tooMany: true, ...this.#hop }
  }

  /** DATA or the content was refused: the outcome of those that RCPT took. */
  refuseAccepted(what: string, reply: Reply): void {
    for (const at of this.accepted) this.#refuse(at, what, reply, classOf(reply) === 5)
  }

  /** The reply to the end of the message: for one recipient (LMTP), or for all that RCPT took. */
  conclude(reply: Reply, keeps: Keeps, only?: number): void {
    for (const at of only === undefined ? this.accepted : [only]) {
      if (classOf(reply) !== 2) {
        this.#refuse(at, 'the message', reply, classOf(reply) === 5)
        continue
      }
      const reason = `taken: ${replyText(reply)}`
      const status = statusOf(reply)
      this.#outcomes[at] = {
        kind: 'delivered',
        ...keeps,
        status,
        reason,
        reply,
        ...this.#hop,
      }
    }
  }

  /** The connection ends: what is open waits for another time. */
  lose(status: string, reason: string, reply: Reply | undefined): void {
    // A reply (421) is the hop's word that it has not taken the message; silence is not.
    const inDoubt = this.ended && reply === undefined
    for (const at of this.#open()) {
      this.#outcomes[at] = {
        kind: 'deferred',
        status,
        reason,
        ...this.#hop,
        ...(reply === undefined ? {} : { reply }),
        ...(inDoubt && this.accepted.includes(at) && this.#doubt()),
      }
    }
  }

  /** One outcome for each recipient; what nothing was said about waits. */
  outcomes(): readonly Outcome[] {
    return this.#outcomes.map(
      outcome =>
        outcome ?? { kind: 'deferred', status: '4.5.0', reason: 'no outcome', ...this.#hop },
    )
  }

  get allDelivered(): boolean {
    return this.#outcomes.every(outcome => outcome?.kind === 'delivered')
  }

  #doubt(): { inDoubt: true; named?: true } {
    return { inDoubt: true, ...(this.named && { named: true }) }
  }

  #open(): number[] {
    return [...this.#outcomes.keys()].filter(at => this.#outcomes[at] === undefined)
  }

  #refuse(at: number, what: string, reply: Reply, permanent: boolean, tooMany = false): void {
    const reason = `${what} was refused: ${replyText(reply)}`
    const status = `${permanent ? 5 : 4}.${reply.detail ?? '0.0'}`
    this.#outcomes[at] = permanent
      ? { kind: 'failed', status, reason, reply, ...this.#hop }
      : { kind: 'deferred', status, reason, reply, ...(tooMany && { tooMany }), ...this.#hop }
  }
}

/**
 * RFC 5321 §4.5.3.1.10: "too many recipients" is 452, and RFC 821 wrongly said 552, so that 552 to
 * RCPT is temporary. Where an enhanced code says that something else is meant (5.2.2, a full mailbox),
 * it is believed. Other codes mean it by X.5.3 alone: 451 in any case, 550 only where some others
 * were taken, since for a lone recipient it would never become true.
 */
function saysTooMany(reply: Reply, taken: number): boolean {
  if (reply.detail !== undefined && reply.detail !== '5.3') return false
  if (reply.code === 452 || reply.code === 552) return true
  return reply.detail === '5.3' && (classOf(reply) === 4 || taken > 0)
}
