/** The pump's two faces: to all that it joins, and to its owner, who may see no more than `Pumping`. */
import type { DeadlineOwner } from './deadline.ts'
import type { ConnectionEvents } from './net.ts'
import type { OutboxOwner } from './outbox.ts'
import type { Giver } from './owed.ts'
import type { Paced } from './pace.ts'
import type { Pumping } from './pumping.ts'

export interface Joined<A, E>
  extends ConnectionEvents,
    Paced,
    Giver<A, E>,
    OutboxOwner,
    DeadlineOwner {}

/** What the owner holds of a pump: one small object for each of thousands. */
export class Running<E> implements Pumping<E> {
  readonly #pump: Pick<Pumping<E>, 'tell' | 'close'>
  readonly closed: Promise<void>

  constructor(running: Pick<Pumping<E>, 'tell' | 'close'>, closed: Promise<void>) {
    this.#pump = running
    this.closed = closed
  }

  tell(event: E): void {
    this.#pump.tell(event)
  }

  close(): void {
    this.#pump.close()
  }
}
