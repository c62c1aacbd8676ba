/**
 * FETCH of UID, FLAGS and MODSEQ alone (RFC 9051 §7.5.2), of thousands of messages at once: what synchronizing
 * clients ask first. Written straight into octets, since a text for each message costs ten times as
 * much. Called by told-message.ts.
 */
import type { FetchItem } from '../fetch-item.ts'
import type { StateTable } from './fact.ts'

/** The longest line without its flags: three numbers, and the words around them. */
const LINE_MAX_OCTETS = 80
const ITEM_MAX_OCTETS = 32

/**
 * A line for each message that has a sequence number.
 * @param sequences of each message of the table; one with 0 is passed over
 * @param recent whether a message is told as recent too; absent where none is
 */
export function formatStates(
  { uids, sets, setOf, modSeqs }: StateTable,
  sequences: ArrayLike<number>,
  items: readonly FetchItem[],
  uidOnly: boolean,
  recent?: (uid: number) => boolean,
): Buffer {
  const flags = sets.map(set => Buffer.from(`FLAGS (${set})`, 'latin1'))
  const recentFlags = sets.map(set =>
    Buffer.from(`FLAGS (${set === '' ? '' : `${set} `}\\Recent)`, 'latin1'),
  )
  let room = 0
  const line = LINE_MAX_OCTETS + ITEM_MAX_OCTETS * items.length
  for (let n = 0; n < uids.length; n++)
    room += line + (recentFlags[setOf[n] as number]?.length ?? 0) * items.length
  const out = new Octets(room)
  for (let n = 0; n < uids.length; n++) {
    const sequence = sequences[n] as number
    const uid = uids[n] as number
    if (sequence === 0) continue
    out.put(STAR)
    out.number(uidOnly ? uid : sequence)
    out.put(uidOnly ? UIDFETCH : FETCH)
    for (let i = 0; i < items.length; i++) {
      if (i > 0) out.octet(0x20)
      const kind = items[i]?.kind
      if (kind === 'UID') {
        out.put(UID)
        out.number(uid)
      } else if (kind === 'FLAGS') {
        const told = recent?.(uid) ? recentFlags : flags
        out.put(told[setOf[n] as number] ?? NOTHING)
      } else {
        out.put(MODSEQ)
        out.number(modSeqs[n] as number)
        out.octet(0x29)
      }
    }
    out.put(END)
  }
  return out.written
}

const NOTHING = Buffer.alloc(0)
const STAR = Buffer.from('* ')
const FETCH = Buffer.from(' FETCH (')
const UIDFETCH = Buffer.from(' UIDFETCH (')
const UID = Buffer.from('UID ')
const MODSEQ = Buffer.from('MODSEQ (')
const END = Buffer.from(')\r\n')

class Octets {
  readonly #buffer: Buffer
  #at = 0

  constructor(room: number) {
    this.#buffer = Buffer.allocUnsafeSlow(room)
  }

  get written(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  octet(code: number): void {
    this.#buffer[this.#at++] = code
  }

  /** Few octets are copied sooner than a copy is called for. */
  put(octets: Buffer): void {
    const buffer = this.#buffer
    let at = this.#at
    for (let n = 0; n < octets.length; n++) buffer[at++] = octets[n] as number
    this.#at = at
  }

  /** A whole number that is not negative. */
  number(value: number): void {
    const buffer = this.#buffer
    const from = this.#at
    let at = from
    let rest = value
    do {
      const next = Math.floor(rest / 10)
      buffer[at++] = 0x30 + (rest - next * 10)
      rest = next
    } while (rest > 0)
    this.#at = at
    for (let left = from, right = at - 1; left < right; left++, right--) {
      const octet = buffer[left] as number
      buffer[left] = buffer[right] as number
      buffer[right] = octet
    }
  }
}
