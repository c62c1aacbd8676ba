/**
 * One deadline of a connection: how long what is waited for now may take. The pump states it after
 * every input, so it must cost next to nothing: the clock is read only when the wait changes, and a
 * timer that is due too early is left to ring and then armed for the rest. It never ends anything.
 */
import type { Clock, Timer } from './clock.ts'

/** As much as a peer may have had under way. */
const SPENT_MAX_OCTETS = 4_194_304

export interface DeadlineOwner {
  /** The wait has lasted its limit; called again after each further one. */
  late(): void
}

export class Deadline {
  readonly #clock: Clock
  readonly #owner: DeadlineOwner
  #timer: Timer | undefined
  #timerDue = 0
  #kind = ''
  #count = 0
  #since = 0
  #limitMs = 0
  #spent = 0

  constructor(clock: Clock, owner: DeadlineOwner) {
    this.#clock = clock
    this.#owner = owner
  }

  /** What is waited for. A new kind or count starts the time anew; a limit of 0 is none. */
  wait(kind: string, count: number, limitMs: number): void {
    if (kind !== this.#kind || count !== this.#count) {
      this.#kind = kind
      this.#count = count
      this.#since = this.#clock.monotonic()
    }
    this.#limitMs = limitMs
    const due = this.#since + limitMs
    if (limitMs > 0 && !(this.#timer && this.#timerDue <= due)) this.#arm(due)
  }

  /** Octets that are of no use came meanwhile: who sends very many of them has had his time. */
  spend(octets: number): void {
    this.#spent += octets
    if (this.#limitMs > 0 && this.#spent > SPENT_MAX_OCTETS) this.#owner.late()
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#limitMs = 0
  }

  #arm(due: number): void {
    this.#timer?.cancel()
    this.#timerDue = due
    this.#timer = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#rang())
  }

  #rang(): void {
    this.#timer = undefined
    if (this.#limitMs === 0) return
    const now = this.#clock.monotonic()
    const due = this.#since + this.#limitMs
    // A timer may ring a fraction of a millisecond early.
    if (now < due - 1) this.#arm(due)
    else {
      this.#since = now
      this.#owner.late()
    }
  }
}
