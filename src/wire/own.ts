/**
 * Octets in a buffer of their own. A small Buffer is a view of a pool of 8 KB, and what crosses to
 * another thread is cloned with the whole pool: a header of 300 octets then costs as much as 8 KB
 * (measured: 46 µs a message against 5).
 */
const encoder = new TextEncoder()

/** Text as UTF-8 in an exact buffer of its own. */
export function ownText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** Pieces joined in an exact buffer of their own. */
export function ownJoined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}

/** Lent octets in an exact buffer of their own. Where they may have been gathered in one of `chunks.ts`, that is never theirs. */
export function ownOctets(lent: Uint8Array): Uint8Array {
  return new Uint8Array(lent)
}

/**
 * A head and its body beside each other in one buffer, so that both together need no copy.
 * @param own in one of their own, since they are to be cloned
 */
export function inOneBuffer(
  head: string,
  body: Uint8Array,
  own: boolean,
): { readonly head: Uint8Array; readonly body: Uint8Array } {
  const headOctets = Buffer.byteLength(head)
  const octets = headOctets + body.length
  const whole = own ? Buffer.allocUnsafeSlow(octets) : Buffer.allocUnsafe(octets)
  whole.write(head)
  whole.set(body, headOctets)
  return { head: whole.subarray(0, headOctets), body: whole.subarray(headOctets) }
}

/** Two pieces as one: a view where they stand beside each other in one buffer, else a copy. */
export function beside(first: Uint8Array, second: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = first
  if (second.buffer !== buffer || second.byteOffset !== byteOffset + length) {
    return Buffer.concat([first, second])
  }
  return Buffer.from(buffer, byteOffset, length + second.length)
}
