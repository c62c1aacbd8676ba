/**
 * The store as one life of one of several nodes has it: the database is a machine of its own, so a node
 * that dies takes nothing along, and one whose network to it is cut hears nothing and is refused. What of a
 * dying node's writes was on its way is committed or not; in this town it is. Made by server.ts.
 */
import type { MemoryFault, MemoryStore } from '../../src/store/memory.ts'
import {
  everything,
  type Reader,
  type Store,
  StoreError,
  type StoreStats,
  type Writer,
} from '../../src/store/store.ts'
import { type Clock, sleep } from '../../src/world/clock.ts'

/** How long a node waits for a database that it cannot reach. */
const PATIENCE_MS = 10_000

export interface SeatOptions {
  readonly slot: number
  /** Asked at each write. */
  readonly faultAt: () => MemoryFault | undefined
  /** The node stops. */
  readonly stopped: () => void
  /** A write was refused; after its commit it is there all the same. */
  readonly failed: (after: boolean) => void
}

export class Seat implements Store {
  readonly alone = false
  readonly #store: MemoryStore
  readonly #clock: Clock
  readonly #options: SeatOptions
  readonly #listeners = new Set<(topic: string) => void>()
  readonly #unlisten: () => void
  #alive = true
  #cut = false

  constructor(store: MemoryStore, clock: Clock, options: SeatOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
    this.#unlisten = store.onWake(topic => this.#hear(topic))
  }

  async read<Input, Output>(reader: Reader<Input, Output>, input: Input): Promise<Output> {
    await this.#reach()
    return this.#while(this.#store.read(reader, input))
  }

  async write<Input, Output>(
    writer: Writer<Input, Output>,
    input: Input,
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Output> {
    await this.#reach()
    const fault = this.#options.faultAt()
    if (fault?.at === 'before commit') await this.#fail(fault)
    const output = await this.#while(this.#store.write(writer, input, moved))
    if (fault?.at === 'after commit') await this.#fail(fault)
    return output
  }

  slot(): number {
    return this.#options.slot
  }

  wake(topic: string): void {
    if (this.#alive && !this.#cut) this.#store.wake(topic)
  }

  onWake(listen: (topic: string) => void): () => void {
    this.#listeners.add(listen)
    return () => this.#listeners.delete(listen)
  }

  stats(): StoreStats {
    return this.#store.stats()
  }

  async close(): Promise<void> {}

  /** The network to the database is cut, or mended: then it is told that something may have been missed. */
  link(up: boolean): void {
    this.#cut = !up
    if (up) this.#hear(everything)
  }

  /** The node is dead: nothing that it asked for is ever answered. */
  crash(): void {
    this.#alive = false
    this.#unlisten()
  }

  #hear(topic: string): void {
    if (this.#cut || !this.#alive) return
    for (const listen of this.#listeners) listen(topic)
  }

  async #reach(): Promise<void> {
    if (!this.#alive) await never()
    if (!this.#cut) return
    await sleep(this.#clock, PATIENCE_MS)
    if (!this.#cut) return
    this.#options.failed(false)
    throw new StoreError('busy', 'the database cannot be reached')
  }

  /** An answer reaches the living only, and over a network that stands: else nobody knows. */
  async #while<Output>(answer: Promise<Output>): Promise<Output> {
    const settled = await answer.then(
      output => ({ output }),
      (error: unknown) => ({ error }),
    )
    if (!this.#alive) await never()
    if (this.#cut) {
      this.#options.failed(true)
      throw new StoreError('broken', 'the answer to COMMIT was lost')
    }
    if ('error' in settled) throw settled.error
    return settled.output
  }

  #fail({ at, how }: MemoryFault): Promise<never> {
    if (how === 'crash') {
      this.#options.stopped()
      return never()
    }
    this.#options.failed(at === 'after commit')
    throw new StoreError(how, `made to fail ${at}`)
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
