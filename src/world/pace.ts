/**
 * How fast a peer's input is taken where it is dear. One loop serves all sessions: who pipelines ten thousand
 * commands in one read keeps it from everybody else for as long as they take. So the time of each input is
 * measured; who took too much of it rests, in proportion to what he took and to how many others rest, so
 * that all of them together have no more than a third of the loop; and his octets are given out
 * in pieces that take about a millisecond each, one in a turn of the loop among all long work (breath.ts). Of whom
 * nothing is known yet begins with small pieces: hundreds may come at once. Who was slow by chance (a collection
 * of garbage fell on him) is back at full speed after a few pieces. Stands before the pump's input; it knows no protocol.
 */
import { type Breath, breathOf } from './breath.ts'
import type { Clock, Timer } from './clock.ts'

/** Who owes more than this rests. No content, and no mail, takes so long at once. */
const DEAR_MS = 4
/** An input that takes longer is given in smaller pieces. */
const LONG_MS = 2
/** What a piece is meant to take. */
const PIECE_MS = 1
const PIECE_MIN_OCTETS = 2_048
const PIECE_FIRST_OCTETS = 16_384
/** As much as is read at once: whoever has come to this is cheap. */
const PIECE_MAX_OCTETS = 65_536
const REST_FACTOR = 2
const REST_MAX_MS = 1_000

/** Of all connections of a clock: how many rest, and how many wait, be it for the next turn only. */
interface Crowd {
  resting: number
  waiting: number
}

const crowds = new WeakMap<Clock, Crowd>()

function crowdOf(clock: Clock): Crowd {
  const known = crowds.get(clock) ?? { resting: 0, waiting: 0 }
  crowds.set(clock, known)
  return known
}

/** Less than this cannot keep the loop busy for long; its time is not taken. */
export const MUCH_OCTETS = 2_048
const TURN_MS = 2
/** Where so many wait for their turns already, each has half as long a one. */
const CROWD = 8

/** Who is paced. */
export interface Paced {
  take(octets: Uint8Array): void
  /** The peer's end of stream. */
  end(): void
  /** Whether it waits has changed. */
  settle(): void
}

export class Pace {
  readonly #clock: Clock
  readonly #paced: Paced
  readonly #breath: Breath
  readonly #crowd: Crowd
  #timer: Timer | undefined
  #restsLong = false
  /** Octets that are given out later, and whether the peer's end stands behind them. */
  #held: Uint8Array | undefined
  #endHeld = false
  #gone = false
  #pieceOctets = PIECE_FIRST_OCTETS
  #owedMs = 0

  constructor(clock: Clock, paced: Paced) {
    this.#clock = clock
    this.#paced = paced
    this.#breath = breathOf(clock)
    this.#crowd = crowdOf(clock)
  }

  /** Nothing is to be read from the peer. */
  get waits(): boolean {
    return this.#timer !== undefined || this.#held !== undefined
  }

  /** Nothing is to be given to the session, not even an answer: others have their turn. */
  get rests(): boolean {
    return this.#timer !== undefined
  }

  /** So long a session goes on with what it has read before others get their turn. */
  get turnMs(): number {
    return TURN_MS / (1 + this.#crowd.waiting / CROWD)
  }

  /**
   * The session was at work on what it had read before, for so long; `more` may be left of it. Where others wait
   * too it rests for as long as they all take, and as long again.
   */
  spent(tookMs: number, more: boolean): void {
    if (this.#gone || this.#timer !== undefined || (!more && tookMs <= DEAR_MS)) return
    this.#wait(Math.min(REST_MAX_MS, tookMs * REST_FACTOR * this.#crowd.waiting))
  }

  /** Octets came that were not given out yet: where the connection changes hands they belong to neither side. */
  get holds(): boolean {
    return this.#held !== undefined
  }

  received(octets: Uint8Array): void {
    // Nobody works on it any more, and nobody stops reading: what was held would pile up.
    if (this.#gone) {
      this.#paced.take(octets)
      return
    }
    if (octets.length >= MUCH_OCTETS && this.#held === undefined && this.#isLate) {
      this.#held = Buffer.from(octets)
      this.#wait(0)
      this.#paced.settle()
    } else this.#give(octets, true)
  }

  /** There is no room in this turn for one who may be dear. */
  get #isLate(): boolean {
    return this.#pieceOctets < PIECE_MAX_OCTETS && this.#breath.full
  }

  /** @param lent they are ours only until this returns */
  #give(octets: Uint8Array, lent: boolean): void {
    const given = this.#part(octets, lent)
    if (given.length < MUCH_OCTETS) {
      if (given.length > 0) this.#paced.take(given)
      return
    }
    if (this.#pieceOctets < PIECE_MAX_OCTETS) this.#breath.began()
    const since = this.#clock.monotonic()
    this.#paced.take(given)
    this.#ran(this.#clock.monotonic() - since, given.length)
    if (this.waits) this.#paced.settle()
  }

  ended(): void {
    if (this.#held === undefined) this.#paced.end()
    else this.#endHeld = true
  }

  /** What of octets that were read is given out now. */
  #part(octets: Uint8Array, lent: boolean): Uint8Array {
    if (this.#held !== undefined) {
      this.#held = Buffer.concat([this.#held, octets])
      return octets.subarray(0, 0)
    }
    if (octets.length <= this.#pieceOctets) return octets
    const rest = octets.subarray(this.#pieceOctets)
    this.#held = lent ? Buffer.from(rest) : rest
    return octets.subarray(0, this.#pieceOctets)
  }

  /** An input took so long; `given` is how many octets it had. */
  #ran(tookMs: number, given: number): void {
    if (this.#gone) return
    if (tookMs > LONG_MS && given > 0) {
      const piece = Math.floor((given * PIECE_MS) / tookMs)
      this.#pieceOctets = Math.max(PIECE_MIN_OCTETS, Math.min(piece, this.#pieceOctets))
    } else if (given > 0 && tookMs < PIECE_MS / 2 && this.#pieceOctets < PIECE_MAX_OCTETS) {
      this.#pieceOctets = Math.min(PIECE_MAX_OCTETS, this.#pieceOctets * 2)
    }
    const slowly = this.#pieceOctets < PIECE_MAX_OCTETS
    this.#owedMs = slowly || tookMs > DEAR_MS ? this.#owedMs + tookMs : 0
    if (this.#timer !== undefined) return
    if (this.#owedMs > DEAR_MS) this.#rest()
    else if (this.#held !== undefined) this.#wait(0)
  }

  /** All is said, or the connection is gone or another's: what was held is nobody's. */
  cancel(): void {
    this.#gone = true
    this.#timer?.cancel()
    this.#over()
    this.#held = undefined
  }

  #rest(): void {
    this.#restsLong = true
    this.#crowd.resting += 1
    this.#wait(Math.min(REST_MAX_MS, this.#owedMs * REST_FACTOR * this.#crowd.resting))
    this.#owedMs = 0
  }

  #wait(delayMs: number): void {
    this.#crowd.waiting += 1
    const over = () => {
      this.#over()
      this.#goOn()
    }
    this.#timer = delayMs > 0 ? this.#clock.after(delayMs, over) : this.#breath.next(over)
  }

  /** A rest is over: what was held goes on, and behind it what the peer has sent meanwhile. */
  #goOn(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#give(held, false)
    if (this.#endHeld && this.#held === undefined) {
      this.#endHeld = false
      this.#paced.end()
    } else this.#paced.settle()
  }

  #over(): void {
    if (this.#timer !== undefined) this.#crowd.waiting -= 1
    this.#timer = undefined
    if (this.#restsLong) this.#crowd.resting -= 1
    this.#restsLong = false
  }
}
