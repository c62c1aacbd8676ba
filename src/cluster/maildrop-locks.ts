/**
 * The exclusive-access lock on a maildrop (RFC 1939 §4) where several nodes share one store: a lease in
 * the store, renewed while the session lasts. Implements mailbox/lock.ts; its in-process form is asked
 * first, so that two sessions of one node never meet in the store.
 *
 * A node that dies keeps nobody out for longer than a lease. A node that cannot reach the store loses its
 * leases by the database's clock; `held` finds that out before anything is removed in the lock's name.
 */
import {
  type MaildropLock,
  type MaildropLocking,
  MaildropLocks,
  type OwnMaildropLock,
} from '../mailbox/lock.ts'
import type { Store } from '../store/store.ts'
import type { Timer } from '../world/clock.ts'
import type { World } from '../world/world.ts'
import { giveMaildrop, keepMaildrop, keepMaildrops, takeMaildrop } from './writer.ts'

/** Renewal may fail twice before the lease ends. */
const LEASE_MS = 40_000
const RENEW_MS = 12_000

export class SharedMaildropLocks implements MaildropLocking {
  readonly #store: Store
  readonly #world: Pick<World, 'clock' | 'log'>
  /** The life of this node: no other ever has the same. */
  readonly #holder: string
  readonly #here = new MaildropLocks()
  #count = 0
  #renewal: Timer | undefined

  constructor(store: Store, world: Pick<World, 'clock' | 'log'>, holder: string) {
    this.#store = store
    this.#world = world
    this.#holder = holder
  }

  async acquire(accountId: number): Promise<MaildropLock | undefined> {
    const here = this.#here.acquire(accountId)
    if (here === undefined) return undefined
    try {
      const claim = { accountId, holder: this.#holder, leaseMs: LEASE_MS }
      if (!(await this.#store.write(takeMaildrop, claim))) {
        here.release()
        return undefined
      }
    } catch (error) {
      // In doubt it may be ours in the store; given back, it keeps nobody out.
      void this.#giveBack(accountId).then(() => here.release())
      throw error
    }
    this.#count++
    this.#renewLater()
    return this.#lock(accountId, here)
  }

  #lock(accountId: number, here: OwnMaildropLock): MaildropLock {
    let free = false
    return {
      held: () => {
        if (free) return false
        const claim = { accountId, holder: this.#holder, leaseMs: LEASE_MS }
        return this.#store.write(keepMaildrop, claim)
      },
      release: async () => {
        if (free) return
        free = true
        this.#count--
        await this.#giveBack(accountId)
        here.release()
      },
    }
  }

  /** What cannot be given back ends by itself. */
  async #giveBack(accountId: number): Promise<void> {
    try {
      await this.#store.write(giveMaildrop, { accountId, holder: this.#holder })
    } catch (error) {
      this.#world.log.warn('maildrop.release', { error: String(error) })
    }
  }

  #renewLater(): void {
    if (this.#renewal !== undefined) return
    this.#renewal = this.#world.clock.after(RENEW_MS, () => {
      this.#renewal = undefined
      if (this.#count === 0) return
      this.#renewLater()
      this.#store
        .write(keepMaildrops, { holder: this.#holder, leaseMs: LEASE_MS })
        .catch((error: unknown) => this.#world.log.warn('maildrop.renew', { error: String(error) }))
    })
  }
}
