/**
 * A bound on work done at once: so many run, so many wait in line, the rest are told at once that
 * there is no room. Used for password hashing (account/), where each one costs memory and a thread.
 *
 * The line is fair: lower ranks go first, and among equals every lane (a network, say) has its turn however many
 * wait in another. Where it is full who comes later takes the place of the last in the longest lane of a
 * worse rank, or of one longer than his own. Those who yield never have all slots: who does not finds one free, or
 * waits for another of his kind only, and a core is left for all else.
 */
export type Slotted<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'busy' }

/** Where one waits: the rank, 0 first, and the lane within it. */
export interface Place {
  readonly rank: number
  readonly lane: string
  /** Leaves one slot to others. Whoever stands behind one who yields does too. */
  readonly yields?: boolean
}

const ANYBODY: Place = { rank: 1, lane: '' }

/** Who waits: told whether it is his turn; and how many had theirs when he came. */
interface Waiter {
  readonly place: Place
  readonly begin: (taken: boolean) => void
  readonly since: number
}

/** Lanes take turns in the order of the map: who has had his goes behind all others. */
type Lanes = Map<string, Waiter[]>

export class Slots {
  readonly #atOnce: number
  readonly #waitingMax: number
  readonly #ranks = new Map<number, Lanes>()
  #waiting = 0
  #served = 0
  #running = 0
  /** How many of those that run yield. */
  #yielding = 0

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce
    this.#waitingMax = waitingMax
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Runs `work` when it is its turn. Rejects only if `work` does. */
  async run<T>(work: () => Promise<T>, place = ANYBODY): Promise<Slotted<T>> {
    if (this.#mayBegin(place)) this.#begin(place)
    else {
      if (this.#waiting >= this.#waitingMax && !this.#makeRoom(place)) return { kind: 'busy' }
      if (!(await this.#wait(place))) return { kind: 'busy' }
    }
    try {
      return { kind: 'done', value: await work() }
    } finally {
      this.#end(place)
    }
  }

  /** Whoever waits could not begin: `#end` lets begin all who can. */
  #mayBegin({ yields = false }: Place): boolean {
    if (this.#running >= this.#atOnce) return false
    return !yields || this.#yielding < Math.max(1, this.#atOnce - 1)
  }

  #begin({ yields = false }: Place): void {
    this.#running++
    if (yields) this.#yielding++
  }

  #end({ yields = false }: Place): void {
    this.#running--
    if (yields) this.#yielding--
    this.#served++
    this.#sendAway()
    let next = this.#next()
    while (next !== undefined) {
      this.#begin(next.place)
      next.begin(true)
      next = this.#next()
    }
  }

  #wait(place: Place): Promise<boolean> {
    const { rank, lane } = place
    const lanes: Lanes = this.#ranks.get(rank) ?? new Map()
    this.#ranks.set(rank, lanes)
    const line = lanes.get(lane) ?? []
    lanes.set(lane, line)
    this.#waiting++
    return new Promise(begin => line.push({ place, begin, since: this.#served }))
  }

  /** Takes who is first out of the line, if he may begin. */
  #next(): Waiter | undefined {
    const best = Math.min(...this.#ranks.keys())
    const lanes = this.#ranks.get(best)
    for (const [lane, line] of lanes ?? []) {
      const [waiter] = line
      if (waiter === undefined || !this.#mayBegin(waiter.place)) return undefined
      line.shift()
      lanes?.delete(lane)
      if (line.length > 0) lanes?.set(lane, line)
      this.#left(best)
      return waiter
    }
    return undefined
  }

  /** Sends one away who has less of a claim; false where there is none. */
  #makeRoom({ rank, lane }: Place): boolean {
    const worst = Math.max(...this.#ranks.keys())
    const lanes = this.#ranks.get(worst)
    if (lanes === undefined || worst < rank) return false
    let longest: readonly [string, Waiter[]] | undefined
    for (const each of lanes) {
      if (each[1].length > (longest?.[1].length ?? 0)) longest = each
    }
    if (longest === undefined) return false
    const [name, line] = longest
    if (worst === rank && line.length <= (lanes.get(lane)?.length ?? 0) + 1) return false
    line.pop()?.begin(false)
    if (line.length === 0) lanes.delete(name)
    this.#left(worst)
    return true
  }

  /** Whom all others overtake does not wait for ever: after some lines' length he is told to come later. */
  #sendAway(): void {
    for (const [rank, lanes] of this.#ranks)
      for (const [lane, line] of lanes) {
        const [first] = line
        if (first === undefined || this.#served - first.since <= 2 * this.#waitingMax) continue
        line.shift()
        if (line.length === 0) lanes.delete(lane)
        this.#left(rank)
        first.begin(false)
      }
  }

  #left(rank: number): void {
    this.#waiting--
    if (this.#ranks.get(rank)?.size === 0) this.#ranks.delete(rank)
  }
}
