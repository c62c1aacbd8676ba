/**
 * The rolls (mailbox/roll.ts) of the mailboxes that were asked for last, one memory for each store: all sessions of
 * a mailbox share one. What is in it is told only once the store has said what happened since.
 */
import { folderChanges } from '../mailbox/change.ts'
import { Roll, readLongRoll, readRoll } from '../mailbox/roll.ts'
import type { Store } from '../store/store.ts'

/** Of all rolls together; 16 octets each. */
const MESSAGES_MAX = 1_000_000
/** A roll of more is read on a reader's thread. */
const NEAR_MAX = 2_000
/** For so few messages nobody reads the roll of all. */
const FEW = 200

type Reading = Pick<Store, 'read'>

export class Rolls {
  readonly #store: Reading
  /** The one asked for last is at the end. */
  readonly #known = new Map<number, Roll>()
  readonly #loading = new Map<number, Promise<Roll | undefined>>()

  constructor(store: Reading) {
    this.#store = store
  }

  /**
   * The roll as it is now; undefined where the mailbox is gone, and where it is not known and not worth reading.
   * @param messages about so many there are
   * @param wanted of so many something is to be told
   */
  async now(mailboxId: number, messages: number, wanted = messages): Promise<Roll | undefined> {
    const known = this.#known.get(mailboxId)
    if (known === undefined && wanted <= FEW && wanted < messages) return undefined
    const roll = known ?? (await this.#loaded(mailboxId, messages))
    if (roll === undefined) return undefined
    const { modSeq: sinceModSeq, uidNext } = roll
    const changes = await this.#store.read(folderChanges, { mailboxId, sinceModSeq, uidNext })
    if (changes === undefined) {
      // Gone, or so old that nobody knows what happened since: then it is read anew.
      if (this.#known.get(mailboxId) === roll) this.#known.delete(mailboxId)
      return known === undefined ? undefined : this.now(mailboxId, messages)
    }
    roll.take(changes)
    if (this.#known.delete(mailboxId)) this.#known.set(mailboxId, roll)
    return roll
  }

  /** However many sessions want it at once, it is read once. */
  #loaded(mailboxId: number, messages: number): Promise<Roll | undefined> {
    const loading =
      this.#loading.get(mailboxId) ??
      this.#load(mailboxId, messages).finally(() => this.#loading.delete(mailboxId))
    this.#loading.set(mailboxId, loading)
    return loading
  }

  async #load(mailboxId: number, messages: number): Promise<Roll | undefined> {
    const reader = messages > NEAR_MAX ? readLongRoll : readRoll
    const data = await this.#store.read(reader, mailboxId)
    if (data === undefined) return undefined
    const roll = new Roll(data)
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

const rolls = new WeakMap<Reading, Rolls>()

export function rollsOf(store: Reading): Rolls {
  const known = rolls.get(store) ?? new Rolls(store)
  rolls.set(store, known)
  return known
}
