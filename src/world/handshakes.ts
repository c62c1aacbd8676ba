/**
 * TLS handshakes under way at our listeners. Who connects and says nothing, or a hello and nothing more, pays nothing and
 * holds a session of OpenSSL until his time is over. So only so many stand at once: who comes then takes the place
 * of the oldest one of whichever address has most of them. An honest handshake takes two round trips and does not
 * grow old. How many connections an address may have, and how fast, is limit/'s.
 */

/** One that is not over. */
export interface Handshake {
  /** The peer's address. */
  readonly from: string
  /** Ends it, and its connection. */
  cut(): void
}

/** A server that all of its clients come back to at once has some hundreds. */
const AT_ONCE = 1_000

export class Handshakes {
  readonly #atOnce: number
  /** By whom, each in the order in which they began. */
  readonly #underWay = new Map<string, Set<Handshake>>()
  #count = 0

  constructor(atOnce = AT_ONCE) {
    this.#atOnce = atOnce
  }

  get count(): number {
    return this.#count
  }

  /** One begins; where there is no room for it another one is cut. */
  begin(one: Handshake): void {
    const own = this.#underWay.get(one.from) ?? new Set()
    this.#underWay.set(one.from, own.add(one))
    this.#count++
    const spared = this.#count > this.#atOnce ? this.#oldestOfMost() : undefined
    if (spared === undefined) return
    this.over(spared)
    spared.cut()
  }

  /** It came about, or failed, or was cut; said twice it counts once. */
  over(one: Handshake): void {
    const own = this.#underWay.get(one.from)
    if (own?.delete(one) !== true) return
    this.#count--
    if (own.size === 0) this.#underWay.delete(one.from)
  }

  #oldestOfMost(): Handshake | undefined {
    let most: Set<Handshake> | undefined
    for (const own of this.#underWay.values()) {
      if (own.size > (most?.size ?? 0)) most = own
    }
    const [oldest] = most ?? []
    return oldest
  }
}
