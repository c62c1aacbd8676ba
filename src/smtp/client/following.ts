/**
 * The message that begins in one group with the end of the one before (RFC 2920 §3.1: the content may be the first
 * of a group). Its first commands leave behind the final dot, and its replies come behind that one's. Kept by
 * session.ts, which resumes it when its turn has come; where the connection ends before that, nothing but commands
 * of it was said, and it is as if it had not been given.
 */
import type { Part } from './dialogue.ts'
import { type Ledger, ledgerOf } from './ledger.ts'
import type { Carry, Phase } from './question.ts'
import type { State } from './state.ts'
import { offers, type Script, type Talk } from './talk.ts'
import { type Aftermath, transaction } from './transaction.ts'

/** Begun, and waiting for its turn. */
export interface Ahead {
  readonly ledger: Ledger
  readonly script: Script<Aftermath>
  readonly turn: IteratorResult<State, Aftermath>
  readonly part: Part
}

export class Following {
  ahead: Ahead | undefined
  /** The message under way began in a group with the one before. */
  grouped = false
  #ended = false
  #exact = false

  /** A message came to its end, by a reply to it. */
  ended(ledger: Ledger): void {
    this.#ended ||= ledger.ended
  }

  /**
   * Nothing more was said than was asked. Before that was seen once behind the end of a message no other begins
   * there: one reply too many would be taken for the answer to its MAIL.
   */
  inStep(): void {
    this.#exact ||= this.#ended
  }

  /** Whether another message may begin behind the end of this one. */
  may(talk: Talk, { named, more }: Ledger): boolean {
    if (!this.#exact || named || more || talk.allowance.spent) return false
    return talk.settings.protocol === 'smtp' && offers(talk, 'PIPELINING')
  }

  begin(talk: Talk, carry: Carry): void {
    const { dialogue, settings } = talk
    dialogue.note('the next message begins in the same group')
    const before = dialogue.part
    dialogue.begin()
    const ledger = ledgerOf(carry, settings)
    const script = transaction(talk, carry, ledger)
    const turn = script.next()
    this.ahead = { ledger, script, turn, part: dialogue.part }
    dialogue.part = before
  }

  /** Whether a message that began in a group has heard nothing, where the connection ends in this phase. */
  isUnanswered(phase: Phase): boolean {
    return this.ahead !== undefined || (this.grouped && phase === 'mail')
  }

  /** Its turn has come. */
  take({ dialogue }: Talk): Ahead | undefined {
    const { ahead } = this
    this.ahead = undefined
    this.grouped = ahead !== undefined
    if (ahead) dialogue.part = ahead.part
    return ahead
  }
}
