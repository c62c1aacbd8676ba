/**
 * The maildrop as one session sees it (RFC 1939 §4-§6): frozen at login, with marks for what is to
 * be deleted. Numbers in, numbers out; it holds some 13 octets a message and no content.
 */
import type { Listing } from './question.ts'

/** Octets of a slice of a listing, about. */
const SLICE_OCTETS = 16_384

export class Maildrop {
  readonly #listing: Listing
  readonly #totalOctets: number
  #marks: Uint8Array | undefined
  #marked = 0
  #markedOctets = 0

  constructor(listing: Listing) {
    this.#listing = listing
    let total = 0
    for (let i = 0; i < listing.sizes.length; i++) total += listing.sizes[i] as number
    this.#totalOctets = total
  }

  /** Messages not marked as deleted. */
  get count(): number {
    return this.#listing.uids.length - this.#marked
  }

  /** Their octets (the drop listing of RFC 1939 §5, STAT). */
  get octets(): number {
    return this.#totalOctets - this.#markedOctets
  }

  /** True where the maildrop had a message of this number at login. */
  has(number: number): boolean {
    return number >= 1 && number <= this.#listing.uids.length
  }

  marked(number: number): boolean {
    return this.#marks?.[number - 1] === 1
  }

  size(number: number): number {
    return this.#listing.sizes[number - 1] ?? 0
  }

  uid(number: number): number {
    return this.#listing.uids[number - 1] ?? 0
  }

  /** The unique-id of UIDL: 1 to 70 characters of 0x21 to 0x7E (RFC 1939 §7). */
  uniqueId(number: number): string {
    return `${this.#listing.uidValidity}.${this.uid(number)}`
  }

  mark(number: number): void {
    this.#marks ??= new Uint8Array(this.#listing.uids.length)
    this.#marks[number - 1] = 1
    this.#marked++
    this.#markedOctets += this.size(number)
  }

  /** RSET (RFC 1939 §5). */
  unmarkAll(): void {
    this.#marks = undefined
    this.#marked = 0
    this.#markedOctets = 0
  }

  /** The uids of all messages marked as deleted, in message order. */
  markedUids(): number[] {
    const uids: number[] = []
    if (this.#marks === undefined) return uids
    for (let number = 1; number <= this.#marks.length; number++) {
      if (this.marked(number)) uids.push(this.uid(number))
    }
    return uids
  }

  /** A line for each message not marked, in slices of about 16 KB: made as they are wanted. */
  *slices(line: (number: number) => string): Generator<string, void, void> {
    let slice = ''
    for (let number = 1; number <= this.#listing.uids.length; number++) {
      if (this.marked(number)) continue
      slice += line(number)
      if (slice.length < SLICE_OCTETS) continue
      yield slice
      slice = ''
    }
    if (slice !== '') yield slice
  }
}
