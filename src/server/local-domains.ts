/**
 * Which domains are ours, in memory: asked for every recipient of every attempt, where no answer
 * may wait. Read again after every change, and now and then for what another node changed.
 */
import { canonicalDomain } from '../account/address.ts'
import { listDomains } from '../account/reader.ts'
import type { Store } from '../store/store.ts'
import type { World } from '../world/world.ts'

export class LocalDomains {
  readonly #store: Store
  readonly #world: World
  #names: ReadonlySet<string> = new Set()

  /** Use `open`. */
  constructor(store: Store, world: World) {
    this.#store = store
    this.#world = world
  }

  static async open(store: Store, world: World): Promise<LocalDomains> {
    const domains = new LocalDomains(store, world)
    await domains.refresh()
    return domains
  }

  has(domain: string): boolean {
    return this.#names.has(domain) || this.#names.has(canonicalDomain(domain))
  }

  async refresh(): Promise<void> {
    try {
      const rows = await this.#store.read(listDomains, null)
      this.#names = new Set(rows.flatMap(row => [row.name, canonicalDomain(row.name)]))
    } catch (error) {
      this.#world.log.error('domains.refresh', { error: String(error) })
    }
  }
}
