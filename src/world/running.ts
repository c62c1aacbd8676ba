/** The pump's two faces: to all that it joins, and to its owner, who may see no more than `Pumping`. */
import type { DeadlineOwner } from './deadline.ts'
import type { ConnectionEvents } from './net.ts'
import type { OutboxOwner } from './outbox.ts'
import type { Giver } from './owed.ts'
import type { Paced } from './pace.ts'
import type { Pumping, PumpOptions } from './pumping.ts'

export interface Joined<A, E>
  extends ConnectionEvents,
    Paced,
    Giver<A, E>,
    OutboxOwner,
    DeadlineOwner {}

/** What the owner holds of a pump: one small object for each of thousands. */
export class Running<E> implements Pumping<E> {
  readonly #owner: PumpOptions<never, never, E>['owner']
  pump:
    | (Pick<Pumping<E>, 'tell' | 'close'> & { readonly isOver: boolean; readonly idle: boolean })
    | undefined
  #ended = false
  /** Only where somebody waits: for most of thousands of sessions nobody does. */
  #waited: PromiseWithResolvers<void> | undefined

  constructor(owner: PumpOptions<never, never, E>['owner']) {
    this.#owner = owner
  }

  get closed(): Promise<void> {
    this.#waited ??= Promise.withResolvers()
    if (this.#ended) this.#waited.resolve()
    return this.#waited.promise
  }

  /** The connection is gone, and he too who took it over. */
  end(): void {
    this.#ended = true
    this.#waited?.resolve()
    this.#owner?.gone()
  }

  get parting(): boolean {
    const { pump } = this
    return this.#ended || (pump?.isOver === true && pump.idle)
  }

  tell(event: E): void {
    this.pump?.tell(event)
  }

  close(): void {
    this.pump?.close()
  }
}
