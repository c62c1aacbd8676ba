/**
 * Whether this process has more to do than it can: memory, heap and the delay of its event loop, looked at twice
 * a second. Beyond a limit new work is turned away (421 4.3.2 in place of a greeting, 452 4.3.1 to MAIL, BYE, -ERR)
 * and what is here is served to its end. It ends well below the limit, so that nobody sees it flicker.
 *
 * The disk is looked at by free-space.ts, which turns away what would need room there; here it is only told.
 */
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import type { Vitals } from '../world/vitals.ts'

/** The settings `limits.overload`: octets, percent and ms. */
export interface LoadLimits {
  /** 0: four fifths of what there is. */
  readonly memory: number
  readonly heap: number
  /** 0: not looked at. */
  readonly delay: number
}

export type LoadCause = 'memory' | 'heap' | 'delay' | 'disk'

export interface LoadNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly limits: () => LoadLimits
  readonly vitals: () => Vitals
  /** Whether the disk's reserve is reached. */
  readonly diskShort: () => boolean | Promise<boolean>
}

const LOOK_MS = 500
const MEMORY_SHARE = 0.8
/** The delay is a mean over some seconds: one long turn of the loop is no overload. */
const SMOOTHING = 0.2
/** Below which part of a limit it is over. */
const OVER: Readonly<Record<Exclude<LoadCause, 'disk'>, number>> = {
  memory: 0.9,
  heap: 0.9,
  delay: 0.5,
}
const DISK_LOOKS = 10

export class Load {
  readonly #needs: LoadNeeds
  readonly #causes = new Set<LoadCause>()
  #delayMs = 0
  #looks = 0
  #ended = false

  constructor(needs: LoadNeeds) {
    this.#needs = needs
  }

  /** Begins to look; without it nothing is ever too much. */
  start(): void {
    const { clock } = this.#needs
    const due = clock.monotonic() + LOOK_MS
    clock.after(LOOK_MS, () => {
      if (this.#ended) return
      const late = Math.max(0, clock.monotonic() - due)
      this.#delayMs += SMOOTHING * (late - this.#delayMs)
      this.#look()
      this.start()
    })
  }

  stop(): void {
    this.#ended = true
  }

  /** Whether new work is turned away. A short disk turns away only what needs it. */
  get shedding(): boolean {
    return this.#causes.size > (this.#causes.has('disk') ? 1 : 0)
  }

  /** Why this node should not be given work. */
  get causes(): readonly LoadCause[] {
    return [...this.#causes]
  }

  #look(): void {
    const { memoryOctets, memoryMostOctets, heapShare } = this.#needs.vitals()
    const { memory, heap, delay } = this.#needs.limits()
    this.#judge('memory', memoryOctets / (memory === 0 ? memoryMostOctets * MEMORY_SHARE : memory))
    this.#judge('heap', heap === 0 ? 0 : (heapShare * 100) / heap)
    this.#judge('delay', delay === 0 ? 0 : this.#delayMs / delay)
    if (this.#looks++ % DISK_LOOKS !== 0) return
    const short = this.#needs.diskShort()
    if (short instanceof Promise) {
      // Who cannot tell has no room, or is about to say so himself.
      short.then(
        known => this.#set('disk', known),
        () => undefined,
      )
    } else this.#set('disk', short)
  }

  /** `share`: 1 is the limit. */
  #judge(cause: Exclude<LoadCause, 'disk'>, share: number): void {
    if (share > 1) this.#set(cause, true)
    else if (share < OVER[cause]) this.#set(cause, false)
  }

  /** Told once each way. */
  #set(cause: LoadCause, on: boolean): void {
    if (this.#causes.has(cause) === on) return
    const { log, vitals } = this.#needs
    if (on) this.#causes.add(cause)
    else this.#causes.delete(cause)
    const facts = { cause, memory: vitals().memoryOctets, delayMs: Math.round(this.#delayMs) }
    if (on) log.warn('overload.begins', facts)
    else log.info('overload.ends', facts)
  }
}

/** Where nobody looks. */
export const unloaded = { shedding: false, causes: [] as readonly LoadCause[] }
