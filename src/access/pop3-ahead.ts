/**
 * The messages of a maildrop as a client takes them: nearly always one after the other. So the small ones behind the one
 * that was asked for are read together, while the client has something to read, and each is then there in the turn
 * that wants it. Some 64 KB are held, and nothing for one who asks here and there. Used by pop3.ts.
 */
import { messageByUid, messagesByUid, type StoredMessage } from '../mailbox/reader.ts'
import type { Listing } from '../pop3/server/question.ts'
import type { Store } from '../store/store.ts'
import { type Clock, sleep } from '../world/clock.ts'

const AHEAD_MAX_OCTETS = 65_536
const AHEAD_MAX_MESSAGES = 50

export class ReadAhead {
  readonly #store: Store
  readonly #clock: Clock
  readonly #mailboxId: number
  readonly #listing: Listing
  /** Where in the listing the one stands that comes next, if they are asked for in order. */
  #next = 0
  readonly #held = new Map<number, StoredMessage>()
  #reading: Promise<void> | undefined

  constructor(store: Store, clock: Clock, mailboxId: number, listing: Listing) {
    this.#store = store
    this.#clock = clock
    this.#mailboxId = mailboxId
    this.#listing = listing
  }

  /** A message of the listing; undefined where it is gone. */
  take(uid: number): StoredMessage | Promise<StoredMessage | undefined> {
    const inOrder = this.#next > 0 && this.#listing.uids[this.#next] === uid
    this.#next = 1 + (inOrder ? this.#next : indexOf(this.#listing.uids, uid))
    const message = this.#held.get(uid)
    if (message === undefined) return this.#read(uid, inOrder)
    this.#held.delete(uid)
    if (this.#held.size === 0) this.#reading = this.#readOn(this.#next)
    return message
  }

  async #read(uid: number, inOrder: boolean): Promise<StoredMessage | undefined> {
    const next = this.#next
    await this.#reading
    const message = this.#held.get(uid)
    // Where others are held, they are of another place.
    if (message === undefined) this.#held.clear()
    else this.#held.delete(uid)
    if (inOrder && this.#held.size === 0) this.#reading = this.#readOn(next)
    return message ?? this.#store.read(messageByUid, { mailboxId: this.#mailboxId, uid })
  }

  /** Those that come next, once the one before them has left. What fails is asked for again, and fails then. */
  async #readOn(from: number): Promise<void> {
    await sleep(this.#clock, 0)
    const uids: number[] = []
    let octets = 0
    for (let at = from; uids.length < AHEAD_MAX_MESSAGES; at++) {
      octets += this.#listing.sizes[at] ?? Number.POSITIVE_INFINITY
      if (octets > AHEAD_MAX_OCTETS) break
      uids.push(this.#listing.uids[at] as number)
    }
    if (uids.length === 0) return
    try {
      const messages = await this.#store.read(messagesByUid, { mailboxId: this.#mailboxId, uids })
      for (const message of messages) this.#held.set(message.uid, message)
    } catch {}
  }
}

/** Of one that is among them; they ascend. */
function indexOf(uids: ArrayLike<number>, uid: number): number {
  let low = 0
  let high = uids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((uids[middle] as number) < uid) low = middle + 1
    else high = middle
  }
  return low
}
