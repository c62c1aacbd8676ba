/**
 * The rolls (mailbox/roll.ts) of the mailboxes that were asked for last, one memory for each store: all sessions of
 * a mailbox share one. What is in it is told only once the store has said what happened since.
 */
import { folderChanges } from '../mailbox/change.ts'
import { farRollSlice, Roll, rollSlice, rollStart } from '../mailbox/roll.ts'
import type { Store } from '../store/store.ts'
import { breathOf } from '../world/breath.ts'
import type { ImapAccess } from './imap.ts'

/** Of all rolls together; 16 octets each. */
const MESSAGES_MAX = 1_000_000
/** Where a slice takes longer, its pages come from the disk: the others are read on a reader's thread. */
const SLOW_MS = 10
/** For so few messages nobody reads the roll of all. */
const FEW = 200

type Access = Pick<ImapAccess, 'store' | 'world'>

class Rolls {
  readonly #store: Store
  readonly #clock: ImapAccess['world']['clock']
  /** The one asked for last is at the end. */
  readonly #known = new Map<number, Roll>()
  readonly #loading = new Map<number, Promise<Roll | undefined>>()

  constructor({ store, world }: Access) {
    this.#store = store
    this.#clock = world.clock
  }

  /**
   * The roll as it is now; undefined where the mailbox is gone, and where it is not known and not worth reading.
   * @param messages about so many there are
   * @param wanted of so many something is to be told
   */
  async now(mailboxId: number, messages: number, wanted = messages): Promise<Roll | undefined> {
    const known = this.#known.get(mailboxId)
    if (known === undefined && wanted <= FEW && wanted < messages) return undefined
    const roll = known ?? (await this.#loaded(mailboxId))
    if (roll === undefined) return undefined
    for (let more = true; more; ) {
      const { modSeq: sinceModSeq, uidNext } = roll
      const changes = await this.#store.read(folderChanges, { mailboxId, sinceModSeq, uidNext })
      if (changes === undefined) {
        // Gone, or so old that nobody knows what happened since: then it is read anew.
        if (this.#known.get(mailboxId) === roll) this.#known.delete(mailboxId)
        return known === undefined ? undefined : this.now(mailboxId, messages)
      }
      roll.take(changes)
      more = changes.more
      if (more) await breathOf(this.#clock).due()
    }
    if (this.#known.delete(mailboxId)) this.#known.set(mailboxId, roll)
    return roll
  }

  /** However many sessions want it at once, it is read once. */
  #loaded(mailboxId: number): Promise<Roll | undefined> {
    const loading =
      this.#loading.get(mailboxId) ??
      this.#load(mailboxId).finally(() => this.#loading.delete(mailboxId))
    this.#loading.set(mailboxId, loading)
    return loading
  }

  async #load(mailboxId: number): Promise<Roll | undefined> {
    const start = await this.#store.read(rollStart, mailboxId)
    if (start === undefined) return undefined
    const roll = new Roll(start)
    const breath = breathOf(this.#clock)
    let reader = rollSlice
    for (let more = true; more; ) {
      await breath.due()
      const from = this.#clock.monotonic()
      more = roll.append(await this.#store.read(reader, { mailboxId, uid: roll.lastUid }))
      if (this.#clock.monotonic() - from > SLOW_MS) reader = farRollSlice
    }
    this.#known.set(mailboxId, roll)
    let held = 0
    for (const { count } of this.#known.values()) held += count
    for (const [oldest, { count }] of this.#known) {
      if (held <= MESSAGES_MAX) break
      this.#known.delete(oldest)
      held -= count
    }
    return roll
  }
}

const rolls = new WeakMap<Store, Rolls>()

export function rollsOf(access: Access): Rolls {
  const known = rolls.get(access.store) ?? new Rolls(access)
  rolls.set(access.store, known)
  return known
}
