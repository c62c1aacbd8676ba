/**
 * What a session is owed before it hears from its peer again: events, answers to its questions, and that all it
 * said has left. Given by the pump, one after the other; to a session that has much to go on with in turns, so
 * that others have theirs (pace.ts). It knows no connection and no phase.
 */
import type { Session } from '../wire/effect.ts'
import type { Clock } from './clock.ts'
import { MUCH_OCTETS, type Pace } from './pace.ts'
import { answered, drained, tell } from './session-input.ts'

/** The pump, as it gives. */
export interface Giver<A, E> {
  /** Something may be given at all. */
  readonly gives: boolean
  /** All that was said has left. */
  readonly idle: boolean
  /** Lets leave what was said. */
  flush(): void
  /** Whether all waits for what the peer did wrong. */
  holds(): boolean
  enter<T>(give: (session: Session<A, E>, what: T) => void, what: T): void
}

export class Owed<A, E> {
  readonly #clock: Clock
  readonly #pace: Pace
  readonly #giver: Giver<A, E>
  #told: E[] | undefined
  #answers: A[] | undefined
  /** Something was sent since the session was last told that all is out. */
  drained = false

  constructor(clock: Clock, pace: Pace, giver: Giver<A, E>) {
    this.#clock = clock
    this.#pace = pace
    this.#giver = giver
  }

  /** How many answers wait. */
  get answers(): number {
    return this.#answers?.length ?? 0
  }

  tell(event: E): void {
    this.#told ??= []
    this.#told.push(event)
  }

  answer(answer: A): void {
    this.#answers ??= []
    this.#answers.push(answer)
  }

  /** Lets all leave that was said, and gives what is owed; false where what came of it is to wait. */
  give({ backlogOctets }: Session<A, E>): boolean {
    const much = backlogOctets >= MUCH_OCTETS
    const since = much ? this.#clock.monotonic() : 0
    const mostMs = much ? this.#pace.turnMs : 0
    let tookMs = 0
    let more = true
    this.#giver.flush()
    while (more && tookMs <= mostMs) {
      more = this.#one()
      if (more && this.#giver.holds()) return false
      this.#giver.flush()
      if (much) tookMs = this.#clock.monotonic() - since
    }
    if (much) this.#pace.spent(tookMs, more)
    return true
  }

  /** False where nothing is owed, or others have their turn. */
  #one(): boolean {
    const giver = this.#giver
    if (!giver.gives) return false
    const event = this.#told?.shift()
    if (event !== undefined) {
      giver.enter(tell, event)
      return true
    }
    if (this.#pace.rests) return false
    const answer = this.#answers?.shift()
    if (answer !== undefined) {
      giver.enter(answered, answer)
      return true
    }
    if (!this.drained || !giver.idle) return false
    this.drained = false
    giver.enter(drained, undefined)
    return true
  }
}
