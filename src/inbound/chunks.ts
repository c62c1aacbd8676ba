/**
 * The buffers that messages are gathered in, used again instead of made anew: V8 marks its whole heap
 * whenever some 64 MB of buffers were made (see also world/node/read-buffer.ts). Who takes one owns it
 * until it is given back, and gives it back once. Called by intake.ts.
 */

export const CHUNK_OCTETS = 262_144

/** So many wait here at most, 4 MB; what is given beyond them goes. */
const FREE_MAX = 16

const free: Uint8Array[] = []

/** A buffer of CHUNK_OCTETS with whatever is in it. */
export function takeChunk(): Uint8Array {
  return free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_OCTETS)
}

/** Its octets may be others from now on. A smaller buffer is nobody's, and goes. */
export function giveChunk(chunk: Uint8Array): void {
  if (chunk.length === CHUNK_OCTETS && free.length < FREE_MAX) free.push(chunk)
}
