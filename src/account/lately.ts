/**
 * What was last found out about an address, under its very spelling: a message asks several times about its
 * recipient, mostly one time behind the other. Used by the directory and by expand.ts; `changed` of the
 * directory drops it.
 */
import type { Address } from '../mail/address.ts'

/** How long it is believed without a look: as for all that is remembered, a change may have gone unheard. */
const LIFETIME_MS = 10_000

export class Lately<Value> {
  #local = ''
  #domain = ''
  #value: Value | undefined
  #until = 0

  get({ local, domain }: Address, now: number): Value | undefined {
    return local === this.#local && domain === this.#domain && now < this.#until
      ? this.#value
      : undefined
  }

  set({ local, domain }: Address, value: Value, now: number): void {
    this.#local = local
    this.#domain = domain
    this.#value = value
    this.#until = now + LIFETIME_MS
  }

  drop(): void {
    this.#value = undefined
    this.#until = 0
  }
}
