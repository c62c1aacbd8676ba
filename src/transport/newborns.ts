/** Octets just accepted, which need not be read back as long as not too many are kept for that. */
import type { Acceptance } from '../queue/acceptance.ts'
import type { Lent, Source } from '../wire/effect.ts'
import { type Lending, lentBehind } from '../wire/lending.ts'
import { beside } from '../wire/own.ts'

const MOST_OCTETS = 16 * 1024 * 1024

/** A message's octets, for all its loads. */
export interface Content {
  /** May be called as often as one likes. */
  octets(): Source
  /** The same, while they are in memory. */
  readonly lent?: Lent
  /** So many loads were made of it; each says when it has left. */
  begun?(loads: number): void
  left?(): void
}

export class Newborns {
  #octets = 0

  /**
   * Its content without reading, where there is room; else it is read from the store.
   * @param lending its body, where that has changed hands
   */
  keep({ body, head }: Acceptance, stored: () => Source, lending?: Lending): Content {
    if (!(body instanceof Uint8Array)) return { octets: stored }
    const held = lending?.heldOctets ?? body.length
    if (this.#octets + held > MOST_OCTETS) {
      lending?.end()
      return { octets: stored }
    }
    this.#octets += held
    let loads = 0
    const freed = () => {
      this.#octets -= held
      lending?.end()
    }
    const counted = {
      begun: (made: number) => {
        loads = made
      },
      left: () => {
        loads -= 1
        if (loads === 0) freed()
      },
    }
    if (lending === undefined) return { octets: () => beside(head, body), ...counted }
    const lent = lentBehind(head, lending)
    const octets = () => (loads > 0 ? copyOf(lent) : stored())
    return { octets, lent, ...counted }
  }
}

function copyOf(lent: Lent): Uint8Array {
  const copy = Buffer.concat(lent.take())
  lent.giveBack()
  return copy
}
