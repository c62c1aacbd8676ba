/**
 * Which domains are ours, in memory: asked for every recipient of every attempt, where no answer
 * may wait. Read again after every change, when another node says that it changed something, and now
 * and then in case that was not heard.
 */
import { canonicalDomain } from '../account/address.ts'
import { accountTopic } from '../account/open.ts'
import { listDomains } from '../account/reader.ts'
import { everything, type Store } from '../store/store.ts'
import type { World } from '../world/world.ts'

export class LocalDomains {
  readonly #store: Store
  readonly #world: World
  readonly #hostname: () => string
  #names: ReadonlySet<string> = new Set()

  /** Use `open`. @param hostname our own name: mail for it is for us, whatever domains we have */
  constructor(store: Store, world: World, hostname: () => string) {
    this.#store = store
    this.#world = world
    this.#hostname = hostname
  }

  static async open(store: Store, world: World, hostname: () => string): Promise<LocalDomains> {
    const domains = new LocalDomains(store, world, hostname)
    await domains.refresh()
    store.onWake(topic => {
      if (topic === accountTopic || topic === everything) void domains.refresh()
    })
    return domains
  }

  has(domain: string): boolean {
    if (this.#names.has(domain) || domain === this.#hostname().toLowerCase()) return true
    return this.#names.has(canonicalDomain(domain))
  }

  /** All of them, each in its A-label form. */
  names(): readonly string[] {
    return [...new Set([...this.#names].map(canonicalDomain))]
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
