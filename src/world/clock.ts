/** Time as a port: the only clock and the only timers. Times are ms since the Unix epoch, UTC. */
export interface Clock {
  /** Wall-clock time, ms since the epoch; may jump. For what is stored or shown. */
  now(): number
  /** Monotonic ms from an arbitrary start. For durations and deadlines. */
  monotonic(): number
  /** Runs `run` once after `delayMs`. A timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** A promise that resolves after `delayMs` of the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise(resolve => clock.after(delayMs, resolve))
}
