/**
 * A number in a file of its own, written over again and again and never synced: it outlives the process, and
 * a machine that stops may bring back an older one, or none. So it serves as a bound that nothing may be
 * below, and for nothing else. Called by src/store/commit-count.ts.
 */
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

/** All numbers are of one length: what is written over leaves no rest of the old one. */
const digits = 16

export class KeptNumber {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** The number; undefined where there is no file, or none that was written to its end. */
  read(): number | undefined {
    try {
      const text = readFileSync(this.#path, 'latin1')
      return /^\d{16}\n$/.test(text) ? Number(text) : undefined
    } catch {
      return undefined
    }
  }

  /** Writes it; where that fails the old one stays, which is a bound as well. */
  write(number: number): void {
    try {
      // Made where it is not there, and never cut: a cut file would be no bound for a moment.
      this.#file ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600)
      writeSync(this.#file, `${String(number).padStart(digits, '0')}\n`, 0)
    } catch {
      this.#close()
    }
  }

  /** Takes the file away. */
  remove(): void {
    this.#close()
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // What stays is a bound that holds.
    }
  }

  #close(): void {
    try {
      if (this.#file !== undefined) closeSync(this.#file)
    } catch {
      // It is gone either way.
    }
    this.#file = undefined
  }
}
