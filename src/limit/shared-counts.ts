/**
 * What this node tells the others of its counts, and reads of theirs (others-count.ts), so that a limit is one limit
 * however many nodes there are. To count costs nothing more: what has come to an eighth of its limit is told twice a
 * second, all of it in one write behind everybody's back, and a topic calls the others to read it. So a node knows
 * of the others what they knew a second ago, but for what they had too little of to tell. Where a store is one
 * node's alone nobody makes one of these.
 *
 * Counts of a time (tally.ts, failures.ts) count to their end. What stands (connections.ts) is told again as long as
 * it does: of a node that dies it is over half a minute later. Memory is bounded, and what cannot be told
 * just now is told later or not at all: these are limits, and no ledger.
 */
import { everything, type Store } from '../store/store.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import { countsTold, sweepCounts, type Told, tellCounts } from './count-row.ts'
import { isLoopback } from './loopback.ts'
import { OthersCount } from './others-count.ts'
import { holderOf } from './subject.ts'

/** The topic under which nodes hear that others have counted. */
const countTopic = 'count'

/** One kind of count, shared. */
export interface Sharing {
  /** What the others have counted of it. */
  others(key: string): number
  /** Ours has come to this, of so many, and counts for so long. */
  counted(key: string, sum: number, limit: number, forMs: number): void
  /** So many stand here now, of so many. */
  standing(key: string, sum: number, limit: number): void
  /** He begins anew: nothing that was counted before is held against him. */
  forget(key: string): void
}

const GATHER_MS = 500
const POLL_MS = 30_000
const STANDING_MS = 30_000
const RENEW_MS = 10_000
/** What was told may become visible so long after the time that it bears. */
const LATE_MS = 2_000
const ROWS_AT_ONCE = 256
const KEYS_MAX = 50_000

interface Mine {
  readonly kind: string
  readonly key: string
  readonly sum: number
  /** By our monotonic clock. */
  readonly until: number
  readonly stands: boolean
}

export interface SharedCountNeeds {
  readonly store: Store
  readonly world: Pick<World, 'clock' | 'log'>
  /** The life of this node. */
  readonly node: () => string
}

export class SharedCounts {
  readonly #needs: SharedCountNeeds
  readonly #mine = new Map<string, Mine>()
  readonly #untold = new Set<string>()
  /** By kind. */
  readonly #theirs = new Map<string, OthersCount>()
  #since = 0
  #telling: Timer | undefined
  #tending = false
  #looking = false
  #again = false
  #ended = false
  #unlisten: (() => void) | undefined

  constructor(needs: SharedCountNeeds) {
    this.#needs = needs
  }

  /** Begins to listen, once it is known which node we are. */
  open(): void {
    this.#unlisten = this.#needs.store.onWake(topic => {
      if (topic === countTopic || topic === everything) void this.#look()
    })
    void this.#look()
    this.#lookLater()
  }

  /** What was told goes with the node's row (cluster/writer.ts), or is over soon. */
  close(): void {
    this.#ended = true
    this.#unlisten?.()
    this.#telling?.cancel()
  }

  share(kind: string): Sharing {
    const theirs = new OthersCount(this.#needs.world.clock)
    this.#theirs.set(kind, theirs)
    return {
      others: key => theirs.sum(key),
      counted: (key, sum, limit, forMs) => {
        if (sum * 8 >= limit) this.#count({ kind, key, sum, stands: false }, forMs)
      },
      standing: (key, sum, limit) => {
        const much = sum * 8 >= limit && sum > 0
        if (!much && !this.#mine.has(idOf(kind, key))) return
        this.#count({ kind, key, sum: much ? sum : 0, stands: much }, STANDING_MS)
      },
      forget: key => {
        theirs.forget(key)
        if (!this.#mine.has(idOf(kind, key))) return
        this.#count({ kind, key, sum: 0, stands: false }, 0)
      },
    }
  }

  #count(mine: Omit<Mine, 'until'>, forMs: number): void {
    if (this.#ended || isEachNodesOwn(mine.key)) return
    const id = idOf(mine.kind, mine.key)
    if (this.#mine.size >= KEYS_MAX && !this.#mine.has(id)) {
      const [oldest] = this.#mine.keys()
      if (oldest !== undefined) this.#mine.delete(oldest)
    }
    this.#mine.set(id, { ...mine, until: this.#needs.world.clock.monotonic() + forMs })
    this.#untold.add(id)
    this.#tellLater()
  }

  #tellLater(delayMs = GATHER_MS): void {
    if (this.#ended) return
    this.#telling ??= this.#needs.world.clock.after(delayMs, () => void this.#tell())
    if (this.#tending) return
    this.#tending = true
    this.#needs.world.clock.after(RENEW_MS, () => this.#tend())
  }

  /** What waits, the longest first; one write at a time. */
  async #tell(): Promise<void> {
    const { store, world, node } = this.#needs
    const now = world.clock.monotonic()
    const told: string[] = []
    const rows: Told[] = []
    for (const id of this.#untold) {
      if (told.length === ROWS_AT_ONCE) break
      this.#untold.delete(id)
      const mine = this.#mine.get(id)
      if (mine === undefined) continue
      const { kind, key, sum, until } = mine
      told.push(id)
      rows.push({ kind, key, sum, forMs: Math.max(0, Math.round(until - now)) })
    }
    try {
      if (rows.length > 0) {
        await store.write(tellCounts, { node: node(), rows })
        store.wake(countTopic)
      }
      for (const id of told) if (this.#mine.get(id)?.sum === 0) this.#mine.delete(id)
      this.#telling = undefined
      if (this.#untold.size > 0) this.#tellLater()
    } catch (error) {
      world.log.warn('count.not-told', { error: String(error) })
      for (const id of told) this.#untold.add(id)
      this.#telling = undefined
      this.#tellLater(RENEW_MS)
    }
  }

  /** What stands is told again before it would be over; what is over is forgotten, and its rows go. */
  #tend(): void {
    this.#tending = false
    const now = this.#needs.world.clock.monotonic()
    for (const [id, mine] of this.#mine) {
      if (mine.stands) {
        this.#mine.set(id, { ...mine, until: now + STANDING_MS })
        this.#untold.add(id)
      } else if (mine.until <= now && !this.#untold.has(id)) this.#mine.delete(id)
    }
    void this.#sweep()
    if (this.#mine.size > 0) this.#tellLater()
  }

  /** One slice: what is left is for the next time, or another node. */
  async #sweep(): Promise<void> {
    const { store, world } = this.#needs
    await store.write(sweepCounts, null).catch((error: unknown) => {
      world.log.warn('count.sweep', { error: String(error) })
    })
  }

  /** Reads what the others have told; one look at a time, and another behind it where it was asked for meanwhile. */
  async #look(): Promise<void> {
    this.#again = this.#looking
    if (this.#looking || this.#ended) return
    this.#looking = true
    const { store, world, node } = this.#needs
    const since = this.#since === 0 ? 0 : this.#since - LATE_MS
    try {
      const { now, rows } = await store.read(countsTold, { node: node(), since })
      for (const row of rows) this.#theirs.get(row.kind)?.hear(row)
      this.#since = now
    } catch (error) {
      world.log.warn('count.look', { error: String(error) })
    }
    this.#looking = false
    if (this.#again) void this.#look()
  }

  #lookLater(): void {
    this.#needs.world.clock.after(POLL_MS, () => {
      if (this.#ended) return
      void this.#look()
      this.#lookLater()
    })
  }
}

function idOf(kind: string, key: string): string {
  return `${kind} ${key}`
}

/** This machine itself is another one to each node: loopback, as limits name it (subject.ts). */
function isEachNodesOwn(key: string): boolean {
  return isLoopback(key) || key === holderOf('::1')
}
