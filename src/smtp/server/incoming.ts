/**
 * The content of one message while it arrives, by DATA or BDAT: counts it, passes views of it on, and
 * swallows it as soon as it cannot be accepted any more. Nothing is kept here, so that
 * memory is bounded whatever the size. Made by the verbs DATA and BDAT, fed by session.ts.
 */
import type { Reply } from '../../mail/status.ts'
import { DotScanner } from '../../wire/dot.ts'
import { replies } from '../replies.ts'
import type { Conversation } from './conversation.ts'

export class Incoming {
  /** Octets of content so far, unstuffed. */
  sizeOctets: number
  /** Octets of the present BDAT chunk that have not come yet. */
  chunkLeft = 0
  /** Why the content cannot be accepted; from then on it is swallowed. */
  fault: Reply | undefined
  readonly #conversation: Conversation
  readonly #mends: boolean
  /** It did not begin in an earlier session. */
  readonly #whole: boolean
  readonly #scanner: DotScanner

  constructor(conversation: Conversation) {
    this.#conversation = conversation
    const { settings, transaction } = conversation
    this.sizeOctets = transaction?.resumedAt ?? 0
    this.#whole = transaction?.resumedAt === undefined
    // RFC 1845 §3: both sides count the same octets, so that none may be mended on the way.
    this.#mends = settings.bareLineEnds === 'normalize' && !transaction?.sender.transactionId
    this.#scanner = new DotScanner((octets, from, to) => this.#take(octets, from, to), this.#mends)
  }

  /** Whether all of it was looked through, and nothing need be done to it on its way (dot.ts). */
  get plain(): boolean {
    return this.#whole && this.#scanner.plain
  }

  /** Scans octets[from, to) of DATA; gives the index behind the end, or -1. */
  scan(octets: Buffer, from: number, to: number): number {
    const end = this.#scanner.scan(octets, from, to)
    if (this.#scanner.nul) this.#refuse(replies.nulInContent)
    if (this.#scanner.bareLineEnds > 0 && !this.#mends) {
      this.#refuse(replies.bareLineEnd)
    }
    return end
  }

  /** Takes octets[from, to) of a BDAT chunk as they are, and looks at none. */
  chunk(octets: Buffer, from: number, to: number): void {
    this.chunkLeft -= to - from
    this.#take(octets, from, to)
  }

  /** Swallows whatever comes: the chunk was refused before its first octet. */
  swallow(fault: Reply): void {
    this.fault ??= fault
  }

  #take(octets: Uint8Array, from: number, to: number): void {
    this.sizeOctets += to - from
    if (this.fault !== undefined) return
    const { sizeMaxBytes } = this.#conversation.settings
    if (sizeMaxBytes > 0 && this.sizeOctets > sizeMaxBytes) this.#refuse(replies.tooBig)
    else this.#conversation.sink.content(octets, from, to)
  }

  /** Policy forgets what it got at once, not when the end comes. */
  #refuse(fault: Reply): void {
    if (this.fault === undefined) this.#conversation.abandon()
    // A lone CR or LF outranks the others: the session must close for it.
    if (this.fault !== replies.bareLineEnd) this.fault = fault
  }
}
