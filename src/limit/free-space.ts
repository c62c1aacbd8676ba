/**
 * Whether there is room for more mail: of the disk's free space a reserve is kept, so that what was accepted
 * can still be delivered, settled and reported once strangers have filled the rest. SMTP asks at MAIL
 * (RFC 1870 §6.3: 452) and, as IMAP's APPEND does, for each piece of a large message.
 */
import type { Disk } from '../world/disk.ts'
import type { Log } from '../world/log.ts'

export interface Room {
  /** Whether so many octets more fit. At once where the disk was looked at a moment ago. */
  for(octets: number): boolean | Promise<boolean>
}

export class FreeSpace implements Room {
  readonly #disk: Disk
  readonly #log: Log
  readonly #reserveOctets: () => number
  #short = false

  constructor(disk: Disk, log: Log, reserveOctets: () => number) {
    this.#disk = disk
    this.#log = log
    this.#reserveOctets = reserveOctets
  }

  for(octets: number): boolean | Promise<boolean> {
    const reserve = this.#reserveOctets()
    if (reserve === 0 || this.#disk.freeOctets === undefined) return true
    const free = this.#disk.freeOctets()
    const judged = (found: number) => this.#judge(found, reserve, octets)
    return free instanceof Promise ? free.then(judged) : judged(free)
  }

  /** Told to the operator when the reserve itself is reached, and when it is free again: once each. */
  #judge(free: number, reserve: number, octets: number): boolean {
    const short = free < reserve
    if (short && !this.#short) this.#log.warn('disk.no-room', { free, reserve })
    if (!short && this.#short) this.#log.info('disk.room-again', { free, reserve })
    this.#short = short
    return octets <= free - reserve
  }
}
