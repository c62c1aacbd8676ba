/**
 * This server as the others see it: a row that is renewed every few seconds by the database's clock and
 * removed at a stop. On its way it looks at the others, and warns where their configs differ from ours.
 * Nothing hangs on the row but what operators see: leases and locks end by themselves.
 * Called by server/start.ts; also on SQLite, where the list has one row.
 */
import type { Store } from '../store/store.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import { listNodes, type NodeRow, SILENT_MS } from './reader.ts'
import { beat, leave, type NodeFacts } from './writer.ts'

const BEAT_MS = 5_000

export interface NodeOptions {
  readonly store: Store
  readonly world: Pick<World, 'clock' | 'log'>
  /** The hash of the config may change while we live; the rest does not. */
  readonly facts: () => Omit<NodeFacts, 'draining'>
  /** Told at each look how many nodes are alive, and which of them we are: what all share is divided by it. */
  readonly shared?: (nodes: number, rank: number) => void
}

/** So long a newcomer takes nothing of what is divided: by then the others have seen him. */
const NEWCOMER_MS = 3 * BEAT_MS

/** Behind all others: of what is divided nothing is ours. */
const NO_RANK = Number.POSITIVE_INFINITY

export class Node {
  readonly #options: NodeOptions
  #timer: Timer | undefined
  #draining = false
  #gone = false
  #enteredMs: number | undefined
  /** What was said last of other configs, so that it is said once. */
  #said = ''

  constructor(options: NodeOptions) {
    this.#options = options
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Enters the list. Rejects if the store does. */
  async enter(): Promise<void> {
    await this.#beat()
    this.#beatLater()
  }

  /** Tells the others at once: the config has changed. */
  changed(): void {
    void this.#tryBeat()
  }

  /** From now on we only finish what we have; /ready says so, and so does the list. */
  drain(): void {
    this.#draining = true
    void this.#tryBeat()
  }

  /** Leaves the list. Never rejects: a row that stays is shown as silent. */
  async leave(): Promise<void> {
    const { store, world, facts } = this.#options
    this.#gone = true
    this.#timer?.cancel()
    await store.write(leave, facts().id).catch((error: unknown) => {
      world.log.warn('node.leave', { error: String(error) })
    })
  }

  #beatLater(): void {
    this.#timer = this.#options.world.clock.after(BEAT_MS, () => {
      void this.#tryBeat().finally(() => {
        if (!this.#gone) this.#beatLater()
      })
    })
  }

  async #tryBeat(): Promise<void> {
    try {
      await this.#beat()
    } catch (error) {
      this.#options.world.log.warn('node.beat', { error: String(error) })
    }
  }

  async #beat(): Promise<void> {
    const { store, facts } = this.#options
    if (this.#gone) return
    const { alone } = store
    await store.write(beat, { ...facts(), alone, draining: this.#draining })
    if (store.alone) return
    const nodes = await store.read(listNodes, null)
    this.#compare(nodes)
    this.#divide(nodes)
  }

  #divide(nodes: readonly NodeRow[]): void {
    const { facts, shared, world } = this.#options
    const alive = nodes.filter(node => node.silentMs < SILENT_MS).map(({ id }) => id)
    const rank = alive.sort().indexOf(facts().id)
    this.#enteredMs ??= world.clock.monotonic()
    const isNew = world.clock.monotonic() - this.#enteredMs < NEWCOMER_MS
    shared?.(alive.length, rank < 0 || (isNew && alive.length > 1) ? NO_RANK : rank)
  }

  /** Nodes of one database are meant to have one config; while one is rolled out they differ. */
  #compare(nodes: readonly NodeRow[]): void {
    const { facts, world } = this.#options
    const { epoch, id } = facts()
    const others = nodes.filter(
      node => node.id !== id && node.silentMs < SILENT_MS && !node.draining && node.epoch !== epoch,
    )
    const said = others.map(node => `${node.host} ${node.pid} ${node.epoch}`).join(', ')
    if (said === this.#said) return
    this.#said = said
    if (said !== '') world.log.warn('node.config_differs', { ours: epoch, others: said })
  }
}
