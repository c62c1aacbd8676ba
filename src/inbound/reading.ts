/**
 * The header of the message at hand: what it asks (heed.ts), what becomes of its fields (authors.ts), and which of them
 * are left out of the body. Of a large message that is wanted before its first octet is staged; of any other
 * once it is complete. One for each message, made by reception.ts.
 */
import { expandCached } from '../account/expand.ts'
import type { Address } from '../mail/address.ts'
import type { Envelope } from '../mail/envelope.ts'
import { type Amended, asItCame } from '../message/amend.ts'
import { type Range, rangesOf } from '../message/complete.ts'
import { type Header, scanHeader } from '../message/header.ts'
import type { Later, Peer } from '../smtp/server/question.ts'
import { type Heeded, type Heeding, heed } from './heed.ts'
import type { Inbound, Refusal, Role } from './role.ts'

export interface ReadingNeeds {
  readonly inbound: Inbound
  readonly role: Role
  readonly heeding: Heeding
  readonly peer: Peer
}

/** A header, and what it asks. */
interface Read {
  readonly header: Header
  readonly heeded: Heeded | undefined
}

export class Reading {
  readonly #needs: ReadingNeeds
  readonly #envelope: Envelope
  #read: Read | undefined
  #written: Later<Amended | Refusal> | undefined

  constructor(needs: ReadingNeeds, envelope: Envelope) {
    this.#needs = needs
    this.#envelope = envelope
  }

  /** What of the content's first octets does not belong into the body; at once where `judged` was heard. */
  omitted(prefix: Uint8Array): Later<readonly Range[]> {
    const { role } = this.#needs
    const read = this.#read ?? this.#heed(this.#envelope, scanHeader(prefix, { partial: true }))
    if (role.rewrites?.(read.header)) this.#written ??= this.#judge(read)
    const { header, heeded } = read
    const ranges = (written: Amended | Refusal | undefined) => {
      const gone = written !== undefined && 'omitted' in written ? written.omitted : []
      return rangesOf(header, role.omitted, [...(heeded?.omitted ?? []), ...gone])
    }
    const written = this.#written ?? heeded?.written
    return written instanceof Promise ? written.then(ranges) : ranges(written)
  }

  /** The message is complete, and goes to these. */
  heed(envelope: Envelope, header: Header): Heeded | undefined {
    this.#read = this.#heed(envelope, header)
    return this.#read.heeded
  }

  /** What becomes of the fields that name its authors; behind `heed`. */
  judged(): Later<Amended | Refusal> {
    const written = this.#written ?? this.#judge(this.#read as Read)
    this.#written = written
    if (!(written instanceof Promise)) return written
    return written.then(known => {
      this.#written = known
      return known
    })
  }

  #heed(envelope: Envelope, header: Header): Read {
    const { inbound, heeding } = this.#needs
    const isHere = (address: Address) => expandCached(inbound.directory, address)?.kind === 'finals'
    return { header, heeded: heed(envelope, header, heeding, isHere) }
  }

  #judge({ header, heeded }: Read): Later<Amended | Refusal> {
    const before = heeded?.written ?? asItCame(header)
    const { peer, role } = this.#needs
    return role.authors?.(peer, this.#envelope.sender, before) ?? before
  }
}
